# Goal: what is known to break other systems, tried by a researcher with a good key on a synthetic registry under the strict policy. Each
# attack is stopped, and by the rule that docs/THREAT_MODEL.md names. (The coordinator that alters sums in a threshold round and the agent
# that crafts its own theta are played by hand: tests/protocol, worker.vault.)
. tests/e2e/lib.sh

# 1,200 patients at six centres; one of 97 years; a rare variant at one centre only; a centre's own disease.
python3 - "$tmp" <<'PYTHON'
import random, sys
random.seed(20261123)
with open(sys.argv[1] + "/registry.csv", "w") as out:
    out.write("pid,centre,age,bmi,stage,treated,variant,time,death\n")
    for i in range(1200):
        centre = "abcdef"[i % 6]
        age = 97 if i == 100 else random.randint(30, 85)
        variant = "rare" if centre == "b" and i < 120 else random.choice(["wild", "wild", "wild", "mutant"])
        time = random.randint(30, 3600)
        out.write(f"P{i:06d},{centre},{age},{random.randint(18, 40)},{random.choice('1234')},{random.randint(0, 1)},{variant},"
                  f"{time},{int(random.random() < 0.6)}\n")
PYTHON
cat >"$tmp/registry.yaml" <<'DICTIONARY'
dictionary: registry
version: 1
key: pid
variables:
  - { name: centre, type: category, levels: [a, b, c, d, e, f] }
  - { name: age, type: integer, units: years, min: 18, max: 110 }
  - { name: bmi, type: integer, units: kg/m2, min: 10, max: 60 }
  - { name: stage, type: category, levels: ["1", "2", "3", "4"] }
  - { name: treated, type: boolean }
  - { name: variant, type: category, levels: [wild, mutant, rare] }
  - { name: time, type: duration, units: days, min: 0, max: 4000 }
  - { name: death, type: boolean }
DICTIONARY
# Each is tried against the rules that count: a person is asked of nothing, groups may be fine.
printf 'policy: strict\nfine_predicates: allow\napproval: auto\n' >"$tmp/strict.yaml"
"$maille" sandbox up --dir "$net" --data "$tmp/registry.csv" --dictionary "$tmp/registry.yaml" --split-by centre \
    --policy "$tmp/strict.yaml" >"$tmp/up.out"

# question NAME LINE…
question() {
    name=$1
    shift
    {
        printf 'study: %s\ndictionary: registry@1\ntitle: %s\npurpose: research-public-interest\nlegal_basis: MR-004\n' "$name" "$name"
        printf 'protocol: HDH-%s\nexpires: 2099-12-31\nmissing: study\n' "$name" # a protocol each: budgets are tried apart
        printf '%s\n' "$@"
    } >"$tmp/$name.yaml"
}
without=
# stopped NAME RULE…: every analysis of the study is refused, under one of these rules, and no word tells a count.
stopped() {
    name=$1
    shift
    says 1 '' ask "$tmp/$name.yaml" ${without:+--without "$without"}
    json "all(x['status'] == 'refused' and x['rule'] in '$*'.split() for x in r['analyses'])"
    json "not any(c.isdigit() for x in r['analyses'] for c in x['reason'])"
}
answered() {
    says 0 '' ask "$tmp/$1.yaml"
}

# An ordinary question first: everyone.
question everyone 'analyses:' '  - { id: d, method: describe, variables: [age, bmi] }' '  - { id: c, method: count, variables: [stage] }'
answered everyone
json 'a["d"]["n"] == 1200 and a["d"]["suppressed"] == 0'

# 1. Two means that differ by one patient.
question one-less 'cohort: age < 97' 'analyses:' '  - { id: d, method: describe, variables: [bmi] }'
stopped one-less few

# 2. A 0/1 indicator of one patient: as a cell, as a term of a model.
question indicator 'derive:' '  target: age == 97' 'analyses:' '  - { id: c, method: count, variables: [target] }'
stopped indicator few
question indicator-model 'derive:' '  target: age == 97' 'analyses:' '  - { id: m, method: glm, family: gaussian, formula: "bmi ~ target" }'
stopped indicator-model few # the others are near to all of whom the age is known

# 3. Bisection by quantiles, towards the oldest.
question tail 'analyses:' '  - { id: q, method: quantile, variable: age, probs: [0.999] }'
stopped tail few

# 5. A model with a parameter for every age: saturated.
question saturated 'analyses:' '  - { id: m, method: glm, family: gaussian, formula: "bmi ~ factor(age) + stage*treated" }'
stopped saturated max_parameter_share few

# 6. Covariances with known vectors: more numbers than a third of the patients.
question vectors 'cohort: stage == "4" && treated' 'analyses:' \
    '  - { id: m, method: glm, family: gaussian, formula: "age ~ bmi + I(bmi^2) + I(bmi^3) + I(bmi^4) + I(bmi^5) + I(bmi^6) + I(bmi^7) + I(bmi^8) + treated:bmi" }'
stopped vectors max_scalar_share arithmetic

# 7. A category that one centre alone has.
question own-category 'analyses:' '  - { id: c, method: count, variables: [variant] }'
says 0 '' ask "$tmp/own-category.yaml"
json 'a["c"]["suppressed"] >= 2 and [g["n"] for g in a["c"]["result"]["groups"] if g["level"] == "rare"] == [None]'

# 8. Survival by the day.
question by-day 'grid: day' 'analyses:' '  - { id: k, method: km, formula: "Surv(time, death) ~ 1" }'
stopped by-day finest_grid

# 9. The site as a covariate: not a study.
question site 'analyses:' '  - { id: g, method: glm, family: binomial, formula: "death ~ site" }'
says 2 'site' ask "$tmp/site.yaml"
question by-site 'analyses:' '  - { id: c, method: count, by: site }'
says 2 'site' ask "$tmp/by-site.yaml"

# 10. The same question to a roster with one site less.
"$maille" sandbox kill --dir "$net" centre-f >/dev/null
question everyone-again 'analyses:' '  - { id: d, method: describe, variables: [age, bmi] }' '  - { id: c, method: count, variables: [stage] }'
without=centre-f
stopped everyone-again own_totals
without=
"$maille" sandbox restart --dir "$net" centre-f >/dev/null
wait_for 20 "$maille" catalogue --network "$net/network.yaml" --key "$net/researcher.key" --credential "$net/credential"

# The same question to the same roster and snapshots is always answered again.
answered everyone
json 'a["d"]["n"] == 1200'

# 11. Three groups, no two of which differ by a few, and all three together do: everyone, those below 60, and those from 60 to 96
# leave one patient over.
question young 'cohort: age < 60' 'analyses:' '  - { id: d, method: describe, variables: [bmi] }'
answered young
question old 'cohort: age >= 60 && age < 97' 'analyses:' '  - { id: d, method: describe, variables: [bmi] }'
stopped old few

# 4. The same question after one patient has objected: her centre's next snapshot is without her. The answer of before stands; what nobody has
# asked of these patients yet is near to it.
printf 'pseudonym,date,purposes\nP000001,2026-11-01,all\n' >"$tmp/objections.csv"
"$bin/maille-worker" import --dir "$net/sites/centre-b" --dictionary "$tmp/registry.yaml" --data "$net/sites/centre-b/data.csv" --public \
    --credential "$net/credential" --objections "$tmp/objections.csv" >"$tmp/import.out"
sleep 2
question after-objection 'analyses:' '  - { id: d, method: describe, variables: [age, bmi] }'
answered after-objection
json 'a["d"]["n"] == 1200 and any("this is the answer of 20" in w for w in a["d"]["warnings"])'
question after-objection-else 'analyses:' '  - { id: d, method: describe, variables: [age] }'
stopped after-objection-else few
done_well
