# Goal: the demo study over six sites equals R on the pooled data, and each log says what left.
. tests/e2e/lib.sh
up
ask examples/rotterdam/study.yaml --csv "$tmp/csv" --report "$tmp/report.html"
python3 tests/compare.py "$tmp/result.json" tests/vectors/rotterdam.demo.gold.json --rtol 1e-9 --field-rtol p_value=1e-7 || fail "differs from R"
json 'r["sites"] == 6 and len(r["snapshots"]) == 6 and all(x["status"] == "ok" for x in r["analyses"])'
grep -q '</html>' "$tmp/report.html" || fail "no report"
# Every method, through the same processes.
ask examples/rotterdam/all-methods.yaml
python3 tests/compare.py "$tmp/result.json" tests/vectors/rotterdam.all-methods.gold.json --rtol 1e-9 --field-rtol p_value=1e-7 >"$tmp/all.txt" ||
    { grep -v ^OK "$tmp/all.txt"; fail "all-methods.yaml differs from R"; }
json 'all(x["status"] == "ok" for x in r["analyses"]) and a["combined"]["result"]["sites"] == 6 and a["within"]["result"]["terms"][0]["robust_se"] > 0'
[ -s "$tmp/csv/os.curve.csv" ] && [ -s "$tmp/csv/cox.terms.csv" ] || fail "no CSV"
for site in "$net"/sites/*; do
    says 0 "masked" "$maille" audit show --network "$net/network.yaml" "$site/log" --details
done
# No file of the coordinator knows the data file or its columns.
! grep -rqa '"pid"\|rotterdam.csv' "$net/coordinator" || fail "the coordinator knows the data file"
# A second sandbox in the same folder is refused and nothing is lost.
says 2 "found a sandbox in" "$maille" sandbox up --dir "$net" --data examples/rotterdam/rotterdam.csv --dictionary examples/rotterdam/dictionary.yaml
ask examples/rotterdam/study.yaml
json 'a["os"]["status"] == "ok"'
cp "$tmp/result.json" "$tmp/open.json"
"$maille" sandbox down --dir "$net" >/dev/null
# The same in the circle, and what changed: what is not withheld is the same to the last bit, but where steps were joined.
net=$tmp/net-circle
up --policy standard
ask examples/rotterdam/study.yaml
json 'r["mode"] == "circle" and all(x["status"] == "ok" for x in r["analyses"]) and a["cox"]["grid_merged"]'
says 0 "patients, ages, age-bars, grade-size, nodes-chemo, cox-site, line, logit, rate" \
    python3 -B examples/rotterdam/circle.py "$tmp/open.json" "$tmp/result.json"
says 0 "steps of the grid were joined" python3 -B examples/rotterdam/circle.py "$tmp/open.json" "$tmp/result.json"
says 1 "expected a result in agent mode" python3 -B examples/rotterdam/circle.py "$tmp/result.json" "$tmp/open.json"
done_well
