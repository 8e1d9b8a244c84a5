# Goal: a run says its results on the terminal, whatever files it writes; resume needs the id alone.
. tests/e2e/lib.sh
up --sites 3
study small 'cohort: age >= 40' 'analyses:' '  - { id: cox, method: cox, formula: "Surv(dtime, death) ~ age + size + chemo" }' \
    '  - { id: os, method: km, formula: "Surv(dtime, death) ~ chemo" }' '  - { id: t1, method: describe, variables: [age, size], by: chemo }'
ask "$tmp/small.yaml" >"$tmp/said.txt"
shown() {
    grep -q -- "$1" "$tmp/said.txt" || { cat "$tmp/said.txt" >&2; fail "expected \"$1\" on the terminal"; }
    checks=$((checks + 1))
}
shown '^cox: Cox model$'
shown '^  Characteristic  *n  Events  *HR (95% CI)  *p$'
shown '^  Age at surgery, per year  *1\.0[0-9]* ('
shown '^    up to 20 mm  *[0-9]*  *[0-9]*  *Reference$'
shown 'Median (95% CI)$'
shown 'Age at surgery (years), mean (SD)'
widest=$(python3 -c 'import sys; print(max(len(line.rstrip("\n")) for line in open(sys.argv[1], encoding="utf-8")))' "$tmp/said.txt")
[ "$widest" -le 80 ] || fail "expected lines of at most 80 columns, found $widest"
! LC_ALL=C grep -q "$(printf '\033')" "$tmp/said.txt" || fail "expected no control character"
ask "$tmp/small.yaml" --quiet >"$tmp/said.txt"
[ ! -s "$tmp/said.txt" ] || fail "expected nothing on standard output with --quiet"
# From another folder, with nothing but the id: network, key and output are those of the question.
here=$(dirname "$tmp/small.yaml")
(cd "$here" && "$maille" sandbox run --dir net small.yaml --json again.json --detach >id 2>detached)
(cd / && "$maille" resume "$(cut -c1-12 "$here/id")" >"$tmp/said.txt")
shown '^cox: Cox model$'
[ -s "$here/again.json" ] || fail "expected the result file where the question named it"
"$maille" report "$here/again.json" >"$tmp/report.txt" # the same tables, from the file
cmp "$tmp/said.txt" "$tmp/report.txt" || fail "the result file prints other tables than the run"
says 2 'found none whose id begins' "$maille" resume 0000
# The short talks too: with the id, or with that of the last question.
id=$(cut -c1-12 "$here/id")
(cd / && says 0 "^$(cat "$here/id")" "$maille" list && says 0 '^state  *ended' "$maille" status "$id" && says 0 'site-1' "$maille" catalogue)
(cd / && says 0 '^ended' "$maille" cancel "$id") # a query that has ended stays so
says 2 'found none whose id begins' "$maille" status 0000
(export XDG_STATE_HOME="$tmp/elsewhere" && says 2 'expected --key, since no question' "$maille" list)
done_well
