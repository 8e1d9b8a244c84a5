# Goal: in the circle all rounds are for the sites alone; whoever is killed in them comes back and the study ends with the same
# numbers; no pooled head count is in a site's log; the strictest policy of the network holds.
. tests/e2e/lib.sh
printf 'policy: standard\nown_totals: may_be_inferred\nfine_predicates: allow\ndifferencing: off\n' >"$tmp/policy.yaml"
up --policy "$tmp/policy.yaml"
study rounds 'missing: study' 'analyses:' \
    '  - { id: all, method: count, by: chemo }' \
    '  - { id: few, method: count, cohort: "age < 27" }' \
    '  - { id: cox, method: cox, formula: "Surv(dtime, death) ~ age + size + chemo + strata(site)" }' \
    '  - { id: lm, method: glm, family: binomial, formula: "death ~ age + log(nodes + 1)" }'
says 1 'few: refused (few) by the head counts of all sites together' ask "$tmp/rounds.yaml"
json 'a["few"]["rule"] == "few" and all(a[x]["status"] == "ok" for x in ("all", "cox", "lm"))'
cp "$tmp/result.json" "$tmp/whole.json"
same_as_whole() {
    python3 - "$tmp/result.json" "$tmp/whole.json" <<'PY' || fail "the numbers differ from the undisturbed run"
import json, sys
a, b = (json.load(open(f)) for f in sys.argv[1:3])
for analysis in a["analyses"] + b["analyses"]:
    analysis.pop("earlier", None) # what she asked before it is hers, and more each time
sys.exit(0 if a["analyses"] == b["analyses"] else 1)
PY
    checks=$((checks + 1))
}
# What the log says of the threshold rounds, and what it does not say.
says 0 'threshold round: for the sites alone' "$maille" audit show --network "$net/network.yaml" "$net/sites/site-1/log" --details
"$maille" audit show --network "$net/network.yaml" "$net/sites/site-1/log" --details >"$tmp/shown"
grep -q '2,\?982' "$tmp/shown" && fail "expected no pooled head count in a log, found the number of all patients"

# Two at once, with as many again in line: one is counted after the other, and all are answered.
study other 'analyses:' '  - { id: some, method: count, cohort: "nodes < 5" }'
for n in 1 2 3; do
    "$maille" sandbox run --dir "$net" "$tmp/other.yaml" --json "$tmp/other-$n.json" --timeout 60s >"$tmp/other-$n.out" 2>&1 &
    eval "other_$n=$!"
done
says 1 '' ask "$tmp/rounds.yaml"
same_as_whole
for n in 1 2 3; do
    eval "wait \$other_$n" || { cat "$tmp/other-$n.out"; fail "the question $n of four at once was not answered"; }
    python3 -c 'import json, sys; a, b = (json.load(open(f))["analyses"] for f in sys.argv[1:]); sys.exit(a != b)' \
        "$tmp/other-1.json" "$tmp/other-$n.json" || fail "the same question at once has other numbers"
    checks=$((checks + 1))
done

# Killed in the middle of the threshold rounds or near them: site, coordinator, agent.
run() {
    rm -f "$tmp/result.json"
    "$maille" sandbox run --dir "$net" "$tmp/rounds.yaml" --json "$tmp/result.json" --timeout 60s >"$tmp/run.out" 2>&1 &
    agent=$!
    sleep "$1"
}
ended() {
    status=0
    wait $agent || status=$?
    [ $status = 1 ] || { cat "$tmp/run.out"; fail "$1"; }
}
for pause in 0.1 0.3 0.6; do
    run $pause
    "$maille" sandbox kill --dir "$net" site-2 >/dev/null
    "$maille" sandbox restart --dir "$net" site-2 >/dev/null
    ended "site killed after $pause s"
    # In round 1 the study may have gone on without site-2: then it says 5 sites.
    python3 -c 'import json,sys; sys.exit(json.load(open(sys.argv[1]))["sites"] != 6)' "$tmp/result.json" && same_as_whole
    run $pause
    "$maille" sandbox kill --dir "$net" coordinator >/dev/null
    "$maille" sandbox restart --dir "$net" coordinator >/dev/null
    ended "coordinator killed after $pause s"
    same_as_whole
    run $pause
    kill -9 $agent 2>/dev/null || true
    wait $agent 2>/dev/null || true
    if [ ! -s "$tmp/result.json" ]; then
        id=$("$maille" list --network "$net/network.yaml" --key "$net/researcher.key" --credential "$net/credential" | awk 'NR > 1 && /round|roster|called|asked|closed|revealed/ {print $1; exit}')
        [ -n "$id" ] || continue # it had not asked yet
        status=0
        "$maille" resume "$id" --network "$net/network.yaml" --key "$net/researcher.key" --credential "$net/credential" --json "$tmp/result.json" --timeout 60s >"$tmp/run.out" 2>&1 || status=$?
        [ $status = 1 ] || { cat "$tmp/run.out"; fail "agent killed after $pause s"; }
    fi
    same_as_whole
done

# One site asks for more than the others: it holds for all of them.
printf 'policy: standard\nown_totals: may_be_inferred\nfine_predicates: allow\ndifferencing: off\nmin_patients: 5000\n' >"$net/sites/site-3/policy.yaml"
"$maille" sandbox restart --dir "$net" site-3 >/dev/null
says 1 '' ask "$tmp/rounds.yaml"
json 'all(x["status"] == "refused" and x["rule"] == "few" for x in r["analyses"])'
json 'not any(c.isdigit() for x in r["analyses"] for c in x["reason"])'
done_well
