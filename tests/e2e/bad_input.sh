# Goal: every kind of bad input gets one clear sentence with the right exit status, and the network goes on.
. tests/e2e/lib.sh
up

study unknown 'analyses:' '  - { id: a, method: describe, variables: [agee] }'
says 2 'unknown.yaml:9:.*agee.*age' ask "$tmp/unknown.yaml"
study type 'analyses:' '  - { id: a, method: glm, family: gaussian, formula: "size ~ age" }'
says 2 'type.yaml:9:' ask "$tmp/type.yaml"
study unbounded 'derive:' '  inv: 1 / sqrt(nodes)' 'analyses:' '  - { id: a, method: describe, variables: [inv] }'
says 2 'unbounded.yaml:9:' ask "$tmp/unbounded.yaml"
study method 'analyses:' '  - { id: a, method: discribe, variables: [age] }'
says 2 'method.yaml:9:.*describe' ask "$tmp/method.yaml"
study key 'grdi: month' 'analyses:' '  - { id: a, method: describe, variables: [age] }'
says 2 'key.yaml:8:.*grid' ask "$tmp/key.yaml"
study site 'analyses:' '  - { id: a, method: cox, formula: "Surv(dtime, death) ~ site" }'
says 2 'site.*strata' ask "$tmp/site.yaml"
study expired 'expires: 2020-01-01' 'analyses:' '  - { id: a, method: describe, variables: [age] }'
says 2 'expire' ask "$tmp/expired.yaml"
study empty 'cohort: age > 119' 'analyses:' '  - { id: a, method: glm, family: gaussian, formula: "nodes ~ age" }' '  - { id: b, method: describe, variables: [age] }'
says 1 '' ask "$tmp/empty.yaml"
json 'a["a"]["status"] == "failed" and "cohort" in a["a"]["reason"]'
says 2 'expected' "$maille" sandbox run --dir "$tmp/nowhere" "$tmp/empty.yaml"
says 2 'expected a file\|cannot open' "$maille" sandbox run --dir "$net" "$tmp/nothing.yaml"
says 2 'see maille' "$maille" runn
says 0 'commands:' "$maille" --help
says 0 'maille 0' "$maille" --version

# A key that the network does not know, and a key file that others can read.
"$maille" keygen --role researcher --name eve --out "$tmp/eve" --credential "$tmp/eve.credential" >/dev/null
study fine 'analyses:' '  - { id: a, method: describe, variables: [age] }'
says 2 'eve' "$maille" run "$tmp/fine.yaml" --network "$net/network.yaml" --key "$tmp/eve/eve.key" --credential "$tmp/eve.credential" --timeout 5s
chmod 644 "$tmp/eve/eve.key"
says 2 'chmod 600' "$maille" run "$tmp/fine.yaml" --network "$net/network.yaml" --key "$tmp/eve/eve.key" --credential "$tmp/eve.credential" --timeout 5s
# An altered directory.
sed 's/quorum: 1/quorum: 1 /' "$net/network.yaml" >"$tmp/network.yaml"
says 2 'signature' "$maille" run "$tmp/fine.yaml" --network "$tmp/network.yaml" --key "$net/researcher.key" --credential "$net/credential"
# The coordinator is not there.
"$maille" sandbox kill --dir "$net" coordinator >/dev/null
says 3 'coordinator\|reach\|answer' "$maille" run "$tmp/fine.yaml" --network "$net/network.yaml" --key "$net/researcher.key" --credential "$net/credential" --timeout 2s
"$maille" sandbox restart --dir "$net" coordinator >/dev/null
ask "$tmp/fine.yaml"
json 'a["a"]["status"] == "ok" and a["a"]["n"] == 2982'
done_well
