# Goal: every key of the policy file is read. For each: a question that is answered without it, and refused with it under its name.
. tests/e2e/lib.sh
up
# policy LINE…: the same policy at all sites: open, and these lines. SIGHUP reads it.
policy() {
    for site in "$net"/sites/*; do
        { echo 'policy: open'; printf '%s\n' "$@"; } >"$site/policy.yaml"
        [ -f "$site/pid" ] && kill -HUP "$(cat "$site/pid")" 2>/dev/null || "$maille" sandbox restart --dir "$net" "$(basename "$site")" >/dev/null
        wait_for 20 reread "$site"
    done
}
# The vault has started again since the last policy was given, and the coordinator hears it.
reread() {
    [ "$(starts "$1")" -gt "$(cat "$1/starts" 2>/dev/null || echo 0)" ] && [ "$(connections "$1")" -gt "$(cat "$1/connections" 2>/dev/null || echo 0)" ] &&
        remember "$1"
}
starts() { grep -c 'vault: policy' "$1/program.log"; }
connections() { grep -c 'connected to' "$1/program.log"; }
remember() {
    starts "$1" >"$1/starts"
    connections "$1" >"$1/connections"
}
# key RULE QUESTION LINE…: answered under open alone (asked once before all keys), refused under open and these lines. Which of the
# keys of patients, events and sites it was is not told: the rule is few, and the site's log has the key.
key() {
    rule=$1 question=$2
    shift 2
    policy "$@"
    says 1 '' ask "$tmp/$question.yaml"
    json "all(x['status'] == 'refused' and x['rule'] == '$rule' for x in r['analyses'])"
    json "not any(c.isdigit() for x in r['analyses'] for c in x['reason'])"
    echo "$rule: refused with: $*"
}
# vetoed QUESTION LINE…: the sites' own data decide, so that nobody is told whose, nor the rule.
vetoed() {
    question=$1
    shift
    policy "$@"
    says 1 '' ask "$tmp/$question.yaml"
    json "all(x['status'] == 'vetoed' and x.get('rule') is None for x in r['analyses'])"
    echo "vetoed with: $*"
}

for site in "$net"/sites/*; do
    remember "$site"
done
study few 'cohort: age < 32' 'analyses:' '  - { id: x, method: describe, variables: [nodes] }'
study arm 'derive:' '  old: age > 87' 'analyses:' '  - { id: x, method: ttest, formula: "nodes ~ old" }'
study events 'analyses:' '  - { id: x, method: cox, formula: "Surv(dtime, death) ~ chemo" }'
study model 'analyses:' '  - { id: x, method: glm, family: binomial, formula: "death ~ age + size + grade" }'
study survival 'grid: day' 'analyses:' '  - { id: x, method: logrank, formula: "Surv(dtime, death) ~ chemo" }'
study weighted 'analyses:' '  - { id: x, method: glm, family: binomial, formula: "death ~ chemo", weights: { iptw: "chemo ~ age + size" } }'
study skewed 'analyses:' '  - { id: x, method: glm, family: poisson, formula: "death ~ nodes" }'
study tail 'analyses:' '  - { id: x, method: quantile, variable: age, probs: [0.999] }'
study carried 'derive:' '  far: nodes^3' 'analyses:' '  - { id: x, method: ttest, formula: "far ~ meno" }'
study table 'analyses:' '  - { id: x, method: count, variables: [size] }'
study two 'missing: analysis' 'analyses:' '  - { id: x, method: glm, family: binomial, formula: "death ~ age" }' \
    '  - { id: y, method: glm, family: binomial, formula: "death ~ age + size" }'
for question in few arm events model survival weighted skewed carried tail table two; do
    says 0 '' ask "$tmp/$question.yaml"
    json 'all(x["status"] == "ok" for x in r["analyses"])'
done

key min_sites table 'min_sites: 7'
key few few 'min_patients: 100'
key few arm 'min_cell: 11'
key few events 'min_events: 2000'
key few model 'max_site_share: 0.1'
key few model 'min_contributors: 7'
key max_parameter_share model 'max_parameter_share: 0.001'
vetoed weighted 'min_ess_share: 1'
vetoed skewed 'min_ess_share: 1' # by what the fit finds: here the data are public, and the researcher steps it
key max_scalar_share model 'max_scalar_share: 0.001'
key max_patient_share carried 'max_patient_share: 0.01'
key finest_grid survival 'finest_grid: month'
key cuts arm 'fine_predicates: refuse'
key few tail 'min_tail: 11'
key budget table 'budget: { tables: 0 }'
key budget model 'budget: { models: 0 }'
key missing two 'missing: study'
key methods table 'methods: [km]'
key variables.deny model 'variables: { deny: [age] }'
key purposes table 'purposes: [quality-assurance]'
key researchers table 'researchers: [somebody-else]'

# cell_rule: an arm with enough patients in all and too few at each site passes pooled, and not where each site judges alone.
study thin 'derive:' '  old: age > 80' 'analyses:' '  - { id: x, method: ttest, formula: "nodes ~ old" }'
policy 'min_cell: 30'
says 0 '' ask "$tmp/thin.yaml"
json 'a["x"]["status"] == "ok"'
key few thin 'min_cell: 30' 'cell_rule: local'

# differencing: everyone, then everyone but a few.
study everyone 'analyses:' '  - { id: x, method: describe, variables: [nodes] }'
study but-few 'cohort: age < 88' 'analyses:' '  - { id: x, method: describe, variables: [nodes] }'
policy 'differencing: 11'
says 0 '' ask "$tmp/everyone.yaml"
says 1 '' ask "$tmp/but-few.yaml"
json 'a["x"]["rule"] == "few"'
policy
says 0 '' ask "$tmp/everyone.yaml"
says 0 '' ask "$tmp/but-few.yaml"

# own_totals: the same question to a roster with one site less.
policy 'own_totals: shielded'
says 0 '' ask "$tmp/everyone.yaml"
"$maille" sandbox kill --dir "$net" site-6 >/dev/null
says 1 '' ask "$tmp/everyone.yaml" --without site-6
json 'a["x"]["rule"] == "own_totals"'
"$maille" sandbox restart --dir "$net" site-6 >/dev/null
policy 'own_totals: may_be_inferred'
says 0 '' ask "$tmp/everyone.yaml"
"$maille" sandbox kill --dir "$net" site-6 >/dev/null
says 0 '' ask "$tmp/everyone.yaml" --without site-6
json 'r["sites"] == 5'
"$maille" sandbox restart --dir "$net" site-6 >/dev/null

# approval: nobody has decided.
policy 'approval: hold'
says 3 'hold' "$maille" run "$tmp/table.yaml" --network "$net/network.yaml" --key "$net/researcher.key" --credential "$net/credential" \
    --dictionary examples/rotterdam/dictionary.yaml --timeout 2s
policy 'approval: { methods: { km: hold } }'
says 0 '' ask "$tmp/table.yaml"

# Budgets of a registration: in a network that registers.
sed 's/^researchers:.*/researchers: [researcher]/' examples/rotterdam/registration.yaml >"$tmp/registration.yaml"
says 0 'is registered' "$maille" network register --network "$net/network.yaml" "$tmp/registration.yaml"
says 0 '1 of 1' "$maille" network sign --network "$net/network.yaml" --key "$net/authority.key" --credential "$net/credential"
kill -HUP "$(cat "$net/coordinator/pid")"
for site in "$net"/sites/*; do
    wait_for 20 grep -q '^  - id: "HDH-0000"' "$site/network.yaml"
done
key budget table 'budget: { registration_tables: 0 }'
key budget model 'budget: { registration_models: 0 }'

# open: only where the data are public.
policy
site=$net/sites/site-1
"$bin/maille-worker" import --dir "$site" --dictionary examples/rotterdam/dictionary.yaml --data "$site/data.csv" --credential "$net/credential" >/dev/null
sleep 2
says 1 '' ask "$tmp/table.yaml"
json 'a["x"]["rule"] == "public"'
done_well
