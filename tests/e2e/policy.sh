# Goal: the strict policy refuses by rule, never with a count; what it lets through is exact.
. tests/e2e/lib.sh
printf 'policy: strict\napproval: auto\nfine_predicates: allow\n' >"$tmp/strict.yaml"
up --policy "$tmp/strict.yaml"
study small 'analyses:' '  - { id: few, method: km, cohort: "age < 27", formula: "Surv(dtime, death) ~ 1" }' \
    '  - { id: all, method: km, formula: "Surv(dtime, death) ~ chemo" }'
says 1 '' ask "$tmp/small.yaml"
json 'a["few"]["status"] == "refused" and a["few"]["rule"] == "few"'
json 'not any(c.isdigit() for c in a["few"]["reason"])'
json 'a["all"]["status"] == "ok" and a["all"]["n"] == 2982'
study fine-grid 'grid: day' 'analyses:' '  - { id: d, method: km, formula: "Surv(dtime, death) ~ 1" }'
says 1 '' ask "$tmp/fine-grid.yaml"
json 'a["d"]["rule"] == "finest_grid"'
# `missing` is analysis where a study does not write it, whatever the policies are: two models of a strict network want it written.
study models 'missing: study' 'analyses:' '  - { id: a, method: glm, family: binomial, formula: "death ~ age + size" }' \
    '  - { id: b, method: cox, formula: "Surv(dtime, death) ~ age + size" }'
says 0 '' ask "$tmp/models.yaml"
json 'a["a"]["status"] == "ok" and a["b"]["status"] == "ok" and a["a"]["asked"]["missing"] == "study"'
study unsaid 'analyses:' '  - { id: a, method: glm, family: binomial, formula: "death ~ age + size" }' \
    '  - { id: b, method: cox, formula: "Surv(dtime, death) ~ age + size" }'
says 1 'missing: study' ask "$tmp/unsaid.yaml"
json 'a["a"]["rule"] == "missing" and a["b"]["rule"] == "missing"'
study analysis 'missing: analysis' 'analyses:' '  - { id: a, method: glm, family: binomial, formula: "death ~ age + size" }' \
    '  - { id: b, method: cox, formula: "Surv(dtime, death) ~ age + size" }'
says 1 '' ask "$tmp/analysis.yaml"
json 'a["a"]["rule"] == "missing" and a["b"]["rule"] == "missing"'
done_well
