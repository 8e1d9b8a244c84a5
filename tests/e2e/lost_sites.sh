# Goal: a site that is down stops the run, which names it, unless the researcher goes on without it; a party that is killed in the middle of a study comes back and the study ends with the same numbers.
. tests/e2e/lib.sh
up
study rounds 'grid: day' 'analyses:' \
    '  - { id: cox, method: cox, formula: "Surv(dtime, death) ~ age + size + chemo + log(nodes + 1)" }' \
    '  - { id: lm, method: glm, family: binomial, formula: "death ~ age + log(nodes + 1)" }'
ask "$tmp/rounds.yaml"
cp "$tmp/result.json" "$tmp/whole.json"
same_as_whole() {
    python3 - "$tmp/result.json" "$tmp/whole.json" <<'PY' || fail "the numbers differ from the undisturbed run"
import json, sys
a, b = (json.load(open(f)) for f in sys.argv[1:3])
sys.exit(0 if a["analyses"] == b["analyses"] else 1)
PY
    checks=$((checks + 1))
}

# Down at the call: `sites: all` is a condition. The run ends with 3 and the site's name; it goes on when the site is back.
"$maille" sandbox kill --dir "$net" site-3 >/dev/null
says 3 'found site-3 silent' ask "$tmp/rounds.yaml"
[ ! -e "$tmp/result.json" ] || fail "expected no result without site-3"
id=$(sed -n 's/.*`maille resume \([0-9a-f]*\)`.*/\1/p' "$tmp/said")
"$maille" sandbox restart --dir "$net" site-3 >/dev/null
says 0 '' "$maille" resume "$id" --network "$net/network.yaml" --key "$net/researcher.key" --credential "$net/credential" \
    --json "$tmp/result.json" --timeout 60s
same_as_whole
# The researcher goes on without it, and is told what that costs.
"$maille" sandbox kill --dir "$net" site-3 >/dev/null
says 0 'can no longer be asked about together with it' ask "$tmp/rounds.yaml" --without site-3
json 'r["sites"] == 5 and a["cox"]["n"] < 2982'
json 'r["roster"]["missing"][0]["site"] == "site-3" and "site-3" not in r["roster"]["answered"]'
json 'r["roster"]["missing"][0]["since"] < r["date"]'
says 2 'found "site-9"' ask "$tmp/rounds.yaml" --without site-9
# Three of six down: fewer than n_min; it says whom it waits for and ends with 3.
"$maille" sandbox kill --dir "$net" site-4 >/dev/null
"$maille" sandbox kill --dir "$net" site-5 >/dev/null
says 3 'site-3' ask "$tmp/rounds.yaml" --timeout 8s
for site in site-3 site-4 site-5; do "$maille" sandbox restart --dir "$net" $site >/dev/null; done
ask "$tmp/rounds.yaml"
same_as_whole

# Killed in the middle, at different moments: site, coordinator, agent.
for pause in 0.05 0.15 0.3; do
    rm -f "$tmp/result.json"
    "$maille" sandbox run --dir "$net" "$tmp/rounds.yaml" --json "$tmp/result.json" --timeout 60s >"$tmp/run.out" 2>&1 &
    agent=$!
    sleep $pause
    "$maille" sandbox kill --dir "$net" site-2 >/dev/null
    "$maille" sandbox restart --dir "$net" site-2 >/dev/null
    wait $agent || { cat "$tmp/run.out"; fail "site killed after $pause s"; }
    # In round 1 the study may have gone on without site-2: then it says 5 sites.
    python3 -c 'import json,sys; sys.exit(json.load(open(sys.argv[1]))["sites"] != 6)' "$tmp/result.json" && same_as_whole
    rm -f "$tmp/result.json"
    "$maille" sandbox run --dir "$net" "$tmp/rounds.yaml" --json "$tmp/result.json" --timeout 60s >"$tmp/run.out" 2>&1 &
    agent=$!
    sleep $pause
    "$maille" sandbox kill --dir "$net" coordinator >/dev/null
    "$maille" sandbox restart --dir "$net" coordinator >/dev/null
    wait $agent || { cat "$tmp/run.out"; fail "coordinator killed after $pause s"; }
    same_as_whole
    rm -f "$tmp/result.json"
    "$maille" sandbox run --dir "$net" "$tmp/rounds.yaml" --json "$tmp/result.json" --timeout 60s >"$tmp/run.out" 2>&1 &
    agent=$!
    sleep $pause
    kill -9 $agent 2>/dev/null || true
    wait $agent 2>/dev/null || true
    if [ ! -s "$tmp/result.json" ]; then
        id=$("$maille" list --network "$net/network.yaml" --key "$net/researcher.key" --credential "$net/credential" | awk 'NR > 1 && /round|roster|called|asked|closed|revealed/ {print $1; exit}')
        [ -n "$id" ] || continue # it had not asked yet
        "$maille" resume "$id" --network "$net/network.yaml" --key "$net/researcher.key" --credential "$net/credential" --json "$tmp/result.json" --timeout 60s >"$tmp/run.out" 2>&1 || { cat "$tmp/run.out"; fail "agent killed after $pause s"; }
    fi
    same_as_whole
done
done_well
