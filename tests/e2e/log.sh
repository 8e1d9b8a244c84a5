# Goal: the logs of a real study check each other; whatever is done to one of them is found and named; each party's log reads, replays
# and exports; a site that is offered another log of the coordinator's refuses it.
. tests/e2e/lib.sh
up
study mixed 'analyses:' '  - { id: d, method: describe, variables: [age], by: chemo }' '  - { id: c, method: count, by: [grade] }' \
    '  - { id: cox, method: cox, formula: "Surv(dtime, death) ~ age + strata(site)" }'
ask "$tmp/mixed.yaml"
"$maille" sandbox down --dir "$net" >/dev/null
cp -r "$net/coordinator/log" "$tmp/coordinator-before"
printf '%s\n' 'controller: "Centre Alpha"' 'officer_contact: "dpo@alpha.example"' 'transfers: none' >>"$net/sites/site-1/worker.yaml"
"$maille" sandbox restart --dir "$net" >/dev/null
says 0 'nothing is sent' "$bin/maille-worker" preview "$tmp/mixed.yaml" --dir "$net/sites/site-1"
ask "$tmp/mixed.yaml" # heads from one query, and one run, to the next
"$maille" sandbox down --dir "$net" >/dev/null
logs="$net/sites/site-1/log $net/sites/site-2/log $net/sites/site-3/log $net/sites/site-4/log $net/sites/site-5/log $net/sites/site-6/log"
roster=$net/network.yaml

# All seven against each other, with nothing of the project but the roster; no word of doubt is left.
# shellcheck disable=SC2086
says 0 'coordinator .*sound' env -i "$maille" audit verify $logs "$net/coordinator/log" --network "$roster"
[ "$(grep -c ' sound: .* agrees with .* heads\{0,1\} kept by others' "$tmp/said")" = 7 ] || fail "expected seven sound logs, found: $(cat "$tmp/said")"
[ "$(grep -c 'vectors have their receipt' "$tmp/said")" = 6 ] || fail "expected receipts at six sites"
! grep -q 'but \|not sealed' "$tmp/said" || fail "expected no doubt, found: $(cat "$tmp/said")"

# What a person reads: who, what for, which rules, what left; with the officer's key the numbers; in French too.
log=$net/sites/site-1/log
key="--key $net/sites/site-1/dpo.key --credential $net/credential"
says 0 'legal basis *MR-004' "$maille" audit show --network "$net/network.yaml" "$log" --details --lang en
for words in 'asked by *researcher' 'protocol *HDH-0000' 'purpose *research-public-interest' 'patients *[0-9]' 'decided by *no person' 'what became of it *answered$' 'results\|left: round 1.1' \
    'variables.deny *passed' 'd *describe *[0-9]* *chemo, age\|d *describe *[0-9]* *age, chemo' 'policy in force'; do
    grep -q "$words" "$tmp/said" || fail "expected \"$words\" from audit show, found: $(cat "$tmp/said")"
done
says 0 'finalité' env LANG=fr_FR.UTF-8 "$maille" audit show --network "$net/network.yaml" "$log" --details
# shellcheck disable=SC2086
says 0 'chemo = FALSE  *[0-9]' "$maille" audit show --network "$net/network.yaml" "$log" $key --lang en
count=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "chemo" || $i == "\"chemo\"") c = i } NR > 1 { n += ($c ~ /^"?(0|FALSE|no)"?$/) } END { print n }' \
    "$net/sites/site-1/data.csv")
grep -q "chemo = FALSE  *$count\$" "$tmp/said" || fail "expected the $count patients without chemotherapy of site-1 among the numbers that left"
# shellcheck disable=SC2086
says 0 'vectors have a receipt signed' "$maille" audit replay "$log" $key --network "$roster"
! grep -q 'DIFFERENT\|no sealed\|not your key' "$tmp/said" || fail "expected every message to replay, found: $(cat "$tmp/said")"
says 1 'it is not your key for [0-9]* of' "$maille" audit replay "$log" --key "$net/sites/site-2/dpo.key" --credential "$net/credential"
says 0 'access.csv' "$maille" audit export "$log" --out "$tmp/register" --lang en --network "$roster"
grep -q '^site-1,researcher,[0-9a-f]*,yes,yes,all,all,' "$tmp/register/access.csv" || fail "expected who may ask in access.csv: $(cat "$tmp/register/access.csv")"
[ "$(grep -c 'MR-004' "$tmp/register/register.csv")" = 2 ] || fail "expected two queries in register.csv"

python3 tests/e2e/tamper.py flip "$log" "$tmp/cutting"
# Duties: the register of processing, the public register, a breach, who looked, and an archive that verifies alone.
says 0 'record.html' "$maille" audit record $logs --network "$roster" --out "$tmp/record" --lang fr
[ "$(grep -c 'Centre Alpha;"*' "$tmp/record/record.csv")" = 1 ] || fail "expected what worker.yaml says: $(cat "$tmp/record/record.csv")"
grep -q 'dpo@alpha.example.*responsable\|dpo@alpha.example' "$tmp/record/record.html" || fail "expected the officer's address on the page"
[ "$(grep -c '<section>' "$tmp/record/record.html")" = 6 ] || fail "expected an entry for each of six hospitals"
grep -q '"questions": 2, ' "$tmp/record/record.json" || fail "expected two questions: $(cat "$tmp/record/record.json")"
says 0 'studies.html' "$maille" audit public "$net/coordinator/log" --network "$roster" --out "$tmp/public" --lang en
grep -q 'No study is registered' "$tmp/public/studies.html" || fail "expected an empty public register"
says 0 'breach.csv' "$maille" audit breach "$log" --network "$roster" --out "$tmp/breach" --snapshot 1 --lang en
[ "$(grep -c '^site-1,1,[0-9a-f]*,' "$tmp/breach/breach.csv")" = 2 ] || fail "expected two questions of snapshot 1: $(cat "$tmp/breach/breach.csv")"
grep -q '"variables": "chemo, age\|"variables": "age' "$tmp/breach/breach.json" || fail "expected the variables: $(cat "$tmp/breach/breach.json")"
says 0 'breach.csv' "$maille" audit breach "$log" --network "$roster" --out "$tmp/breach" --snapshot 2 --lang en
[ "$(wc -l <"$tmp/breach/breach.csv")" = 1 ] || fail "expected no question of snapshot 2"
says 0 'accesses.csv' "$maille" audit accesses "$log" --network "$roster" --out "$tmp/accesses" --lang en
grep -q 'preview of study mixed by ' "$tmp/accesses/accesses.csv" && ! grep -q 'replay' "$tmp/accesses/accesses.csv" || fail "expected who previewed: $(cat "$tmp/accesses/accesses.csv")"
# shellcheck disable=SC2086
says 0 'archive verify' "$maille" audit archive $logs "$net/coordinator/log" --network "$roster" --out "$tmp/archive.tar"
says 0 'every byte as SHA256SUMS has it' env -i "$maille" audit archive verify "$tmp/archive.tar"
[ "$(grep -c ' sound: ' "$tmp/said")" = 7 ] || fail "expected seven sound logs in the archive: $(cat "$tmp/said")"
(mkdir "$tmp/unpacked" && cd "$tmp/unpacked" && tar xf ../archive.tar && cd maille-archive && sha256sum --quiet -c SHA256SUMS) || fail "expected sha256sum to agree"
! tar tf "$tmp/archive.tar" | grep -q 'epoch.key' || fail "a key is in the archive"
sed 's/research-public-interest/research-public-enterest/' "$tmp/archive.tar" >"$tmp/altered.tar"
says 2 'expected logs/.* as SHA256SUMS has it' "$maille" audit archive verify "$tmp/altered.tar"
says 1 'nothing is told of a log that is not sound' "$maille" audit archive "$tmp/cutting" --network "$roster" --out "$tmp/no.tar"
[ ! -e "$tmp/no.tar" ] || fail "an archive was written of a log that is not sound"

# What a log is worth comes first; of one that nobody can be asked about, or that is not sound, nothing is told.
says 2 'expected --network FILE' "$maille" audit show "$log"
says 2 'expected --network FILE' "$maille" audit export "$log" --out "$tmp/none"
says 0 '' "$maille" audit show "$log" --network "$roster"
head -n 1 "$tmp/said" | grep -q '^SOUND  site-1: [0-9]* entries up to .* signed as the network sandbox says$' || fail "expected the verdict first: $(head -n 1 "$tmp/said")"
says 0 '' "$maille" audit show "$log" --network "$roster" --lang fr
head -n 1 "$tmp/said" | grep -q "^INTACT  site-1 : [0-9]* entrées jusqu'au .* UTC, signées comme le dit le réseau sandbox\$" || fail "expected the verdict in French: $(head -n 1 "$tmp/said")"
says 0 '^NOT VERIFIED  site-1: .* compared with no network' "$maille" audit show "$log" --anyway
says 0 '' "$maille" audit show "$log" --network "$roster" --json
grep -q '"verified": true, "sound": true, "fault": null' "$tmp/said" || fail "expected the verdict in JSON"
says 0 'not your key' "$maille" audit show "$log" --network "$roster" --key "$net/sites/site-2/dpo.key" --credential "$net/credential"
! grep -q 'DIFFERENT' "$tmp/said" || fail "a wrong key is no difference"
python3 tests/e2e/tamper.py flip "$log" "$tmp/flipped" || fail "expected a log with one bit turned"
for what in show export; do
    out=; [ $what = show ] || out="--out $tmp/none"
    # shellcheck disable=SC2086
    says 1 '^NOT SOUND (altered)  site-1: ' "$maille" audit $what "$tmp/flipped" --network "$roster" $out
    grep -q 'nothing is told of a log that is not sound' "$tmp/said" || fail "expected a word about --anyway"
    ! grep -q 'MR-004\|register.csv' "$tmp/said" || fail "something was told of a log that is not sound"
done
[ ! -e "$tmp/none/register.csv" ] || fail "a register was written from a log that is not sound"
says 0 '^NOT SOUND (altered)' "$maille" audit show "$tmp/flipped" --network "$roster" --anyway
# Which program judged: against a list that has it, and one that has another.
says 0 '^maille-worker [0-9.]* [0-9a-f]\{64\}$' "$bin/maille-worker" --version --hash
cp "$tmp/said" "$tmp/programs"
says 0 'all [1-9][0-9]* judgements were made by listed programs' "$maille" audit verify "$log" --network "$roster" --programs "$tmp/programs"
sed 's/[0-9a-f]\{64\}$/'"$(printf %064d 0)"'/' "$tmp/programs" >"$tmp/others"
sed 's/ [0-9a-f]*$//' "$tmp/programs" >"$tmp/short"
says 0 'but \([1-9][0-9]*\) of \1 judgements were made by a program that is not listed, the first in entry' \
    "$maille" audit verify "$log" --network "$roster" --programs "$tmp/others"
says 2 'short:1: expected a line "maille-worker VERSION HASH"' "$maille" audit verify "$log" --network "$roster" --programs "$tmp/short"
# The same for programs, and in French.
says 0 '"light": "green", "sound": true, .*"judgements_by_unlisted_programs": 0, "doubts": \[\]' \
    "$maille" audit verify "$log" --network "$roster" --witness "$net/coordinator/log" --programs "$tmp/programs" --json
says 0 'intact : [0-9]* entrées .* décisions ont toutes été prises par des programmes de la liste' \
    "$maille" audit verify "$log" --network "$roster" --programs "$tmp/programs" --lang fr
says 1 'NON INTACT (altéré) : .* a été altéré' "$maille" audit verify "$tmp/flipped" --network "$roster" --lang fr
says 1 '"light": "red", "sound": false, "fault": "altered"' "$maille" audit verify "$tmp/flipped" --network "$roster" --json
# Her own earlier copy is a witness.
python3 tests/e2e/tamper.py cut-at-seal "$log" "$tmp/earlier"
says 0 'goes on from your earlier copy, which ended at entry [0-9]*; [1-9][0-9]* entries since' "$maille" audit verify "$log" --network "$roster" --since "$tmp/earlier"
says 1 'your earlier copy has seen .*; or the log and the earlier copy were exchanged' "$maille" audit verify "$tmp/earlier" --network "$roster" --since "$log"
says 1 'whose earlier copy was given with --since' "$maille" audit verify "$net/sites/site-2/log" --network "$roster" --since "$log"

# Wrong roster: another network's keys under the same names.
"$maille" sandbox up --dir "$tmp/net-other" --data examples/rotterdam/rotterdam.csv --dictionary examples/rotterdam/dictionary.yaml >/dev/null
says 1 'wrong key' "$maille" audit verify "$log" --network "$tmp/net-other/network.yaml"
# Split view: the other network's coordinator has another log under the same name.
says 1 'split view\|cut' "$maille" audit verify "$tmp/net-other/coordinator/log" --witness "$log"
# Unsealed: killed, copied, and never started again.
"$maille" sandbox kill --dir "$tmp/net-other" site-2 >/dev/null
cp -r "$tmp/net-other/sites/site-2/log" "$tmp/killed"
says 0 'not sealed yet' "$maille" audit verify "$tmp/killed"
says 1 'unsealed' "$maille" audit verify "$tmp/killed" --taken 2099-01-01T00:00
# A tail cut exactly at a seal is seen by a witness alone, and verify says so.
python3 tests/e2e/tamper.py cut-at-seal "$log" "$tmp/cut"
says 0 'cannot be seen' "$maille" audit verify "$tmp/cut" --network "$roster"
says 1 'cut' "$maille" audit verify "$tmp/cut" --network "$roster" --witness "$net/coordinator/log"
says 0 'sound' "$maille" audit verify "$log" --network "$roster" --witness "$net/coordinator/log" --taken 2099-01-01T00:00 # it is sealed
# Whatever is done at random to a log of the network is found with a witness.
python3 tests/e2e/tamper.py random "$log" "$tmp/tampered" "${MAILLE_TAMPERINGS:-100}" "$maille" audit verify "$tmp/tampered" --network "$roster" \
    --witness "$net/coordinator/log" --taken 2099-01-01T00:00 >"$tmp/said" || { cat "$tmp/said" >&2; fail "a tampering was not found"; }
checks=$((checks + 1))


# The coordinator goes on from an older copy of its whole log folder: the sites have seen more than it remembers, and say so.
rm -rf "$net/coordinator/log"
cp -r "$tmp/coordinator-before" "$net/coordinator/log"
"$maille" sandbox restart --dir "$net" >/dev/null
says 3 '' ask "$tmp/mixed.yaml" --timeout 15
wait_for 5 grep -q 'a head over .* that does not follow' "$net/sites/site-1/program.log"
"$maille" sandbox down --dir "$net" >/dev/null
says 0 'split view' "$maille" audit show --network "$net/network.yaml" "$log" --messages
says 1 'split view' "$maille" audit verify "$net/coordinator/log" --network "$roster" --witness "$log"
done_well
