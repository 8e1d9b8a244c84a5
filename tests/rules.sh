#!/bin/sh
# layout.rules: every rule under which something is refused is a row of disclosure/rule_table.c, and every row is used.
set -eu
cd "${1:-.}"
tmp=$(mktemp -d)
trap 'rm -r "$tmp"' EXIT
sed -n 's/.*\.code = "\([^"]*\)".*/\1/p' disclosure/rule_table.c | sort >"$tmp/rows"
# Where a code is named: FILE:CODE. Each pattern is one way in which the programs refuse. What a party protests against in a peer's
# message (vault_protest, log_head, signature) ends no question and is no rule.
ls ./*/*.c | grep -v '_test\.c$\|^\./bench/\|disclosure/rule' | xargs perl -0777 -ne '
    my ($f, $s, @c) = ($ARGV, qr/"((?:[^"\\]|\\.)*)"/);
    push @c, $1 while /\b(?:maille_refuse|gate_refuse|refuse_all)\([^,()]*(?:\[[^\]]*\])?[^,()]*,\s*$s/g;
    push @c, $1 while /\bvault_cancel\([^,]*,[^,]*,\s*$s/g;
    push @c, $1 while /\bcoordinator_give_up\([^,]*,[^,]*,[^,]*,[^,]*,\s*$s/g;
    push @c, $1 while /\.rule\s*=\s*$s/g;
    push @c, $1 while /\bwhy->rule, sizeof why->rule, $s\)/g;
    push @c, $1 while /->rule\s*:\s*$s/g;
    push @c, $1 while /\(struct audit_rule\)\{$s/g;
    while (/\b(?:plan_refuse|refuse_cell|cell_breaks|hide_group)(\((?:[^()]|(?1))*\))/g) { my $call = $1; push @c, $1 while $call =~ /$s/g }
    push @c, $1 while /\brule_reason\([^,]*,\s*$s/g;
    push @c, $1 while /\bused_up\([^,]*,[^,]*,[^,]*,\s*$s/g;
    while (/^(?:static )?const char \*(?:manifest_fault|quota_[a-z]+)\(.*?^}/msg) { my $body = $&; push @c, $1 while $body =~ /(?:return|\?)\s*$s/g }
    print "$f:$_\n" for grep { $_ ne "" && $_ ne "%s" } @c' | sort -u >"$tmp/named"
# What hides cells, or rounds, and refuses nothing.
grep -q judge_unanimous disclosure/plan.c && echo disclosure/plan.c:unanimous >>"$tmp/named"
grep -q 'result_round(' stats/round.c && echo stats/round.c:round_counts >>"$tmp/named"
sed 's/.*://' "$tmp/named" | sort -u >"$tmp/used"
status=0
for code in $(comm -13 "$tmp/rows" "$tmp/used"); do
    echo "$(grep ":$code\$" "$tmp/named" | head -n 1): expected a row of disclosure/rule_table.c, found none"
    status=1
done
for code in $(comm -23 "$tmp/rows" "$tmp/used"); do
    echo "disclosure/rule_table.c: expected the rule $code to be used, found it is not"
    status=1
done
[ "$(wc -l <"$tmp/used")" -ge 40 ] || {
    echo "expected 40 rules or more in the code, found $(wc -l <"$tmp/used"): do the patterns still fit?"
    status=1
}
[ $status = 0 ] && echo "$(wc -l <"$tmp/used") rules, each with its row"
exit $status
