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

# Decided on her laptop: the site writes what it asks, she reads and signs, the file goes back.
id=$(detached "$tmp/denied.yaml")
wait_for 20 "$worker" pending "$id" --dir "$site" --out "$tmp/asked"
says 0 'Surv(dtime, death) ~ age + size' "$maille" officer review "$tmp/asked"
says 0 'finalité : research-public-interest' "$maille" officer review "$tmp/asked" --lang fr
grep -q "premier tour, .* octets" "$tmp/said" && grep -q '^protocol: HDH-0000' "$tmp/said" || fail "the question in French: $(cat "$tmp/said")"
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
says 0 '' "$worker" approve "$id" --dir "$net/sites/site-6" --credential "$credential"
says 1 '' "$maille" resume "$id" --network "$roster" --key "$net/researcher.key" --credential "$credential" --timeout 20s
says 2 'expected one open study' "$worker" stop ffffffff --dir "$site" --credential "$credential"

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
says 2 'expected --network FILE' "$maille" audit page "$site/log" --out "$tmp/none"
[ ! -e "$tmp/none" ] || fail "something was written without a verdict"
python3 -B tests/figures/officer.py "$tmp" "$(command -v chromium || true)" || fail "the officer's page"
checks=$((checks + 1))
done_well
