# Goal: an officer finds every answer on a page of her laptop, decides away from the server, and stops what she had approved.
. tests/e2e/lib.sh
worker=$bin/maille-worker
site=$net/sites/site-1
credential=$net/credential
roster=$net/network.yaml
key="--key $site/dpo.key --credential $credential"

detached() { "$maille" sandbox run --dir "$net" "$1" --detach 2>/dev/null; }
show() { "$maille" audit show "$site/log" --network "$roster" --lang en "$@"; }

printf 'policy: standard\ndifferencing: off\napproval: { default: auto, methods: { cox: hold } }\n' >"$tmp/hold.yaml"
up --policy "$tmp/hold.yaml"
study part 'analyses:' '  - { id: n, method: count, variables: [size] }' '  - { id: tiny, method: count, cohort: "age < 25", variables: [size] }'
study daily 'grid: day' 'analyses:' '  - { id: os, method: km, formula: "Surv(dtime, death) ~ chemo" }'
study denied 'analyses:' '  - { id: cox, method: cox, formula: "Surv(dtime, death) ~ age + size" }'
study stopped 'analyses:' '  - { id: cox, method: cox, formula: "Surv(dtime, death) ~ age" }'
study waits 'analyses:' '  - { id: cox, method: cox, formula: "Surv(dtime, death) ~ size" }'
says 1 '' ask "$tmp/part.yaml"
says 1 '' ask "$tmp/daily.yaml"

# At the last site two must sign, and whoever is in a group reads what waits. Nobody else than the officer appoints the second.
last=$net/sites/site-6
group=$(id -gn)
printf 'officer_signatures: 2\nspool_group: %s\n' "$group" >>"$last/worker.yaml"
"$maille" sandbox kill --dir "$net" site-6 >/dev/null
"$maille" sandbox restart --dir "$net" site-6 >/dev/null
says 0 'deputy.pub' "$maille" keygen --role dpo --name deputy --out "$tmp/deputy" --credential "$credential"
says 0 'deputy is the second of site-6-dpo at site-6 from' "$maille" officer appoint "$tmp/deputy/deputy.pub" --site site-6 --role second \
    --key "$last/dpo.key" --credential "$credential" --out "$tmp/appointment"
says 0 '' "$maille" keygen --role researcher --name somebody --out "$tmp/deputy" --credential "$credential"
says 2 'expected the card of a dpo' "$maille" officer appoint "$tmp/deputy/somebody.pub" --site site-6 --role second --key "$last/dpo.key" \
    --credential "$credential" --out "$tmp/none"
says 0 'second of the officer at site-6: deputy, signed by site-6-dpo' "$worker" decide "$tmp/appointment" --dir "$last"
wait_for 20 sh -c "'$maille' audit show '$last/log' --network '$roster' --lang fr | grep -q 'qui décide ici *deputy décide à partir du .*, à côté du délégué ; désigné par site-6-dpo'"
[ "$(stat -c '%a %G' "$last/spool")" = "3770 $group" ] || fail "expected spool/ to be shared with $group: $(stat -c '%a %G' "$last/spool")"

# Decided on her laptop: the site writes what it asks, she reads and signs, the file goes back.
id=$(detached "$tmp/denied.yaml")
wait_for 20 "$worker" pending "$id" --dir "$site" --out "$tmp/asked"
says 0 'Surv(dtime, death) ~ age + size' "$maille" officer review "$tmp/asked"
says 0 'finalité : research-public-interest' "$maille" officer review "$tmp/asked" --lang fr
grep -q "premier tour, .* octets" "$tmp/said" && grep -q '^    proche par les mots' "$tmp/said" && grep -q '^protocol: HDH-0000' "$tmp/said" || fail "the question in French: $(cat "$tmp/said")"
says 0 '"researcher": "researcher", .*"analysis": "cox (cox) of everyone"' "$worker" pending --dir "$site" --json
says 0 'DEMANDÉE' "$worker" pending --dir "$site" --lang fr
# shellcheck disable=SC2086
says 0 'bring it to the site: maille-worker decide' "$maille" officer deny "$tmp/asked" $key --reason "no ethics opinion" --out "$tmp/decision"
sed 's/^reason: .*/reason: changed/' "$tmp/decision" >"$tmp/forged"
says 0 '' "$worker" decide "$tmp/forged" --dir "$site" # whose signature it is says the directory, to the worker
wait_for 10 sh -c "'$maille' audit show '$site/log' --network '$roster' --query $id --lang en | grep -q 'a decision was not taken: expected the signature'"
says 0 'deny of .* signed by site-1-dpo' "$worker" decide "$tmp/decision" --dir "$site"
wait_for 10 sh -c "'$maille' audit show '$site/log' --network '$roster' --query $id --lang en | grep -q 'denied by site-1-dpo: no ethics opinion'"
says 2 'expected what .maille-worker pending' "$maille" officer approve "$tmp/part.yaml" --key "$site/dpo.key" --credential "$credential" --out "$tmp/none"
says 2 'role dpo\|a dpo key' "$maille" officer approve "$tmp/asked" --key "$net/researcher.key" --credential "$credential" --out "$tmp/none"

# Approved, then stopped: one command, and nothing of it leaves.
id=$(detached "$tmp/stopped.yaml")
for n in 1 2 3 4 5; do
    wait_for 20 "$worker" pending "$id" --dir "$net/sites/site-$n"
    says 0 'approved' "$worker" approve "$id" --dir "$net/sites/site-$n" --credential "$credential" --reason "read"
done
wait_for 10 sh -c "'$maille' audit show '$site/log' --network '$roster' --query $id --lang en | grep -q 'approved by site-1-dpo: read'"
says 0 'nothing more leaves' "$worker" stop "$(echo "$id" | cut -c 1-12)" --dir "$site" --credential "$credential" --reason "a complaint"
wait_for 10 sh -c "'$maille' audit show '$site/log' --network '$roster' --query $id --lang en | grep -q 'stopped by site-1-dpo: a complaint'"
says 0 'became of it  *stopped by a person (approval)' show --query "$id"
! grep -q 'left: round' "$tmp/said" || fail "something left of a study that was stopped"
# Somebody is told that it waits at the last site, once: by a program, by mail; what fails ends nothing and is tried again.
[ "$(stat -c %a "$last/spool/$id.pending")" = 640 ] || fail "expected that the group may read what waits"
# shellcheck disable=SC2016
printf '#!/bin/sh\n[ -z "$MAILLE_PASSPHRASE" ] || exit 3\n{ echo "arguments: $*"; cat; } >>"%s"\n' "$tmp/notified" >"$tmp/hook"
chmod 755 "$tmp/hook"
says 2 'expected notify_command or notify_mail' "$worker" notify --dir "$last" --once
says 1 'nobody was told: /bin/false ended with status 1' "$worker" notify --dir "$last" --once --command /bin/false
says 1 'nobody was told: /nowhere/at/all cannot be run' "$worker" notify --dir "$last" --once --command /nowhere/at/all
printf 'notify_command: %s\nnotify_mail: officer@hospital.example\nnotify_sendmail: %s\n' "$tmp/hook" "$tmp/hook" >>"$last/worker.yaml"
says 0 "told that $(echo "$id" | cut -c 1-8) waits" env MAILLE_PASSPHRASE=secret "$worker" notify --dir "$last" --once --lang en
for words in "^arguments: $id\$" 'The study stopped (stopped) waits for a decision at site-6' '^arguments: -i -- officer@hospital.example$' \
    '^Subject: maille: a study waits at site-6 ('; do
    grep -q "$words" "$tmp/notified" || fail "expected \"$words\" in what was told: $(cat "$tmp/notified")"
done
! grep -q 'researcher\|[0-9] patients' "$tmp/notified" || fail "more was told than id and title"
cp "$tmp/notified" "$tmp/notified.before"
says 0 '' "$worker" notify --dir "$last" --once
cmp "$tmp/notified" "$tmp/notified.before" || fail "the same was told twice"
# One of two is not enough there.
says 0 '' "$worker" approve "$id" --dir "$last" --credential "$credential"
wait_for 10 sh -c "'$worker' pending --dir '$last' --lang en | grep -q 'signed by site-6-dpo; a second person is awaited'"
says 0 '^signatures: 2, of different persons' "$worker" pending "$id" --dir "$last" --lang en
says 0 '' "$worker" approve "$id" --dir "$last" --key "$tmp/deputy/deputy.key" --credential "$credential"
wait_for 10 sh -c "'$maille' audit show '$last/log' --network '$roster' --query $id --lang en | grep -q 'decided by  *site-6-dpo, deputy'"
says 0 'approved as the first of two by site-6-dpo' "$maille" audit show "$last/log" --network "$roster" --query "$id" --lang en
says 1 '' "$maille" resume "$id" --network "$roster" --key "$net/researcher.key" --credential "$credential" --timeout 60s
says 2 'expected one open study' "$worker" stop ffffffff --dir "$site" --credential "$credential"

# A policy that denies a variable by a name that nobody has denies nothing: the site answers no question under it, and its log says why.
cp "$last/policy.yaml" "$tmp/before.yaml"
printf 'policy: standard\nmin_cell: 8\nvariables: { deny: [PGR] }\n' >"$last/policy.yaml"
kill -HUP "$(cat "$last/pid")"
wait_for 20 sh -c "grep -q 'vault: policy standard, loosened: min_cell 8 (standard: 11)' '$last/program.log'"
study misspelled 'analyses:' '  - { id: n, method: count, variables: [hormon] }'
sleep 1
says 1 '' ask "$tmp/misspelled.yaml"
json 'a["n"]["rule"] == "variables.deny"'
says 0 'did you mean "pgr"' "$maille" audit show "$last/log" --network "$roster" --lang en --details --study misspelled
says 0 '' "$maille" audit show "$last/log" --network "$roster" --lang en
grep -q 'policy in force *standard, loosened: min_cell 8 (standard: 11)' "$tmp/said" || fail "a loosened preset is called by its name alone: $(cat "$tmp/said")"
grep -aq 'deny: \[PGR\]\|deny=PGR\|PGR' "$last/log/messages.log" || fail "expected the policy's text in the log"
cp "$tmp/before.yaml" "$last/policy.yaml"
kill -HUP "$(cat "$last/pid")"

# An objection, and a study after it; one waits. The worker runs: its log says all the same what was imported, and with whom left out.
first=$(sed -n 2p "$site/data.csv" | cut -d, -f1)
printf 'pseudonym,date,purposes\n%s,2026-01-01,all\n' "$first" >"$tmp/objections.csv"
says 0 '' "$worker" import --dir "$site" --objections "$tmp/objections.csv" --yes --credential "$credential"
says 0 '' "$worker" import --dir "$site" --dictionary examples/rotterdam/dictionary.yaml --data "$site/data.csv" --public --yes --credential "$credential"
study after 'analyses:' '  - { id: n, method: count, variables: [chemo] }'
wait_for 20 sh -c "'$maille' audit show '$site/log' --network '$roster' --lang en --details | grep -q 'data imported.*snapshot 2, public, without 1 patient who objects'"
says 0 '' ask "$tmp/after.yaml"
id=$(detached "$tmp/waits.yaml")
wait_for 20 "$worker" pending "$id" --dir "$site"
# Before she has decided no count is shown, of the id and of the same study in a file; afterwards with her key.
says 0 'has yet to decide on it: its counts are not shown' "$worker" preview "$id" --dir "$site" --lang en
! grep -Eq '= .*: [0-9]|sum.*: [0-9.]+$' "$tmp/said" || fail "a count is shown before the decision: $(cat "$tmp/said")"
says 0 'has yet to decide on it' "$worker" preview "$tmp/waits.yaml" --dir "$site" --lang en
says 0 'une personne doit encore en décider' "$worker" preview "$id" --dir "$site" --lang fr
says 0 '"waits_for_a_decision": true, "analyses": \[{"id": "cox", "method": "cox", "cohort": "everyone", "asked": \["' "$worker" preview "$id" --dir "$site" --json
says 0 '"waits_for_a_decision": false, .*"numbers": \[.*: [0-9]' "$worker" preview "$tmp/after.yaml" --dir "$site" --json
says 0 'serait refusée : finest_grid: le pas de temps est plus fin' "$worker" preview "$tmp/daily.yaml" --dir "$site" --lang fr
says 0 'lignes par chemo' "$worker" preview "$tmp/after.yaml" --dir "$site" --lang fr
scripts/programs "$bin" >"$tmp/programs"

# The page, in both languages, and as a browser shows it.
for lang in en fr; do
    # shellcheck disable=SC2086
    says 0 "$tmp/page.$lang/index.html" "$maille" audit page "$site/log" "$net/coordinator/log" --network "$roster" --programs "$tmp/programs" \
        $key --out "$tmp/page.$lang" --lang $lang
done
python3 tests/e2e/tamper.py flip "$site/log" "$tmp/flipped"
says 1 '' "$maille" audit page "$tmp/flipped" --network "$roster" --out "$tmp/page.red" --lang en
says 0 '' python3 -B tests/e2e/odd_logs.py "$maille" "$site/log" "$roster" "$tmp/odd"
says 2 'expected --network FILE' "$maille" audit page "$site/log" --out "$tmp/none"
[ ! -e "$tmp/none" ] || fail "something was written without a verdict"
python3 -B tests/figures/officer.py "$tmp" "$(command -v chromium || true)" || fail "the officer's page"
checks=$((checks + 1))
done_well
