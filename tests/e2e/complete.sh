# Goal: a study can require the dictionary's `complete`: where a site has fewer values, analyses that read the variable are vetoed, by nobody's
# name, and others are answered; the result lists the thresholds; the site's log says why.
. tests/e2e/lib.sh
sed 's/- { name: age,/& complete: 0.9,/' examples/rotterdam/dictionary.yaml >"$tmp/dictionary.yaml"
grep -q 'name: age, complete: 0.9,' "$tmp/dictionary.yaml" || fail "expected a dictionary with complete"
study requires 'complete: true' 'analyses:' '  - { id: n, method: count, variables: [chemo] }' '  - { id: age, method: describe, variables: [age] }'
study requires-else 'complete: true' 'analyses:' '  - { id: n, method: count, variables: [chemo] }' '  - { id: age, method: describe, variables: [age, nodes] }'
study asks 'analyses:' '  - { id: age, method: describe, variables: [age] }'
says 2 'expected a dictionary that says .complete. of a variable' "$maille" check "$tmp/requires.yaml" --dictionary examples/rotterdam/dictionary.yaml
says 0 '' "$maille" check "$tmp/requires.yaml" --dictionary "$tmp/dictionary.yaml"

for policy in open standard; do
    net=$tmp/net.$policy
    "$maille" sandbox up --dir "$net" --data examples/rotterdam/rotterdam.csv --dictionary "$tmp/dictionary.yaml" --policy $policy >"$tmp/up.out"
    says 0 '' ask "$tmp/requires.yaml"
    json 'all(x["status"] == "ok" for x in a.values()) and a["age"]["asked"]["complete"] == {"age": 0.9} and a["n"]["asked"]["complete"] == {}'
    # At one hospital a fifth of the patients have no age from now on: the import asks, and takes it where it is told to.
    site=$net/sites/site-6
    awk -F, -v OFS=, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i ~ /^"?age"?$/) c = i } NR > 1 && NR % 5 == 0 { $c = "" } { print }' "$site/data.csv" >"$tmp/gaps.csv"
    public=$([ $policy = open ] && echo --public || true)
    import() { "$bin/maille-worker" import --dir "$site" --dictionary "$tmp/dictionary.yaml" --data "$tmp/gaps.csv" --credential "$net/credential" $public "$@"; }
    says 2 'expected a value in 90.0 % of the rows (complete), found 80' import
    says 0 '' import --yes
    says 1 '' ask "$tmp/requires-else.yaml"
    json 'a["n"]["status"] == "ok" and a["age"]["status"] == "vetoed" and "site-6" not in str(a["age"])'
    says 0 'complete' "$maille" audit show "$site/log" --network "$net/network.yaml" --details --lang en
    says 0 'moins de valeurs' "$maille" audit show "$site/log" --network "$net/network.yaml" --details --lang fr
    says 0 '' ask "$tmp/asks.yaml" # who does not require it is answered
    json 'a["age"]["status"] == "ok" and "complete" not in a["age"]["asked"]'
    "$maille" sandbox down --dir "$net" >/dev/null
done
done_well
