# Goal: a study is tried on patients that are made up from the dictionary alone, and every output says that they are.
. tests/e2e/lib.sh
says 2 'found neither' "$maille" sandbox up --dir "$net" --dictionary tests/vectors/dates.dictionary.yaml
says 2 'found both' "$maille" sandbox up --dir "$net" --dictionary tests/vectors/dates.dictionary.yaml --data tests/vectors/dates.csv --synthetic 500
# Dates in an order, a number with a resolution, units, levels: whatever is drawn, the import takes it.
cp tests/vectors/dates.dictionary.yaml "$tmp/dictionary.yaml"
"$maille" sandbox up --dir "$net" --dictionary "$tmp/dictionary.yaml" --synthetic 900 --sites 3 >"$tmp/up.out"
grep -q 'made up' "$tmp/up.out" || fail "up does not say so"
study trial 'analyses:' '  - { id: os, method: km, formula: "Surv(days(diagnosis, last), dead) ~ treated" }' \
    '  - { id: cox, method: cox, formula: "Surv(days(diagnosis, last), dead) ~ treated + stage + score" }' '  - { id: t1, method: describe, variables: [score, stage], by: treated }'
sed -i "s/^dictionary: .*/dictionary: $(sed -n 's/^dictionary: //p' "$tmp/dictionary.yaml")@$(sed -n 's/^version: //p' "$tmp/dictionary.yaml")/" "$tmp/trial.yaml"
ask "$tmp/trial.yaml" --report "$tmp/report.html" --csv "$tmp/csv" >"$tmp/said.txt"
for table in "$tmp"/csv/*.csv; do # every row of every table
    [ "$(grep -c ',TRUE$' "$table")" = "$(($(wc -l <"$table") - 1))" ] && head -n 1 "$table" | grep -q ',synthetic$' || fail "expected the column synthetic in $table"
    checks=$((checks + 1))
done
json 'r["synthetic"] is True and all(x["status"] == "ok" for x in r["analyses"]) and a["cox"]["n"] > 700 and 150 < a["cox"]["n_event"] < 500'
# Nothing is related to anything: no coefficient is far from 0.
json 'all(abs(t["statistic"]) < 4.5 for t in a["cox"]["result"]["terms"])'
[ "$(grep -c '^Synthetic data' "$tmp/said.txt")" = 2 ] || fail "expected the mark at both ends of the terminal's text"
grep -q '<p class="no">Synthetic data' "$tmp/report.html" || fail "no mark at the head of the report"
# Read back from the result file: the page's head, and below every figure.
says 0 "" "$maille" report "$tmp/result.json" --out "$tmp/again.html" --figures "$tmp/figures"
grep -q '<p class="no">Synthetic data' "$tmp/again.html" || fail "no mark after reading back"
for figure in "$tmp"/figures/*.svg; do
    [ "$(grep -c 'Synthetic data' "$figure")" = 2 ] || fail "expected the mark in title and picture of $figure"
    checks=$((checks + 1))
done
# The same seed makes the same patients.
"$maille" sandbox down --dir "$net" >/dev/null
cp "$net/synthetic.csv" "$tmp/first.csv"
rm -rf "$net"
"$maille" sandbox up --dir "$net" --dictionary "$tmp/dictionary.yaml" --synthetic 900 --sites 3 >/dev/null
cmp "$net/synthetic.csv" "$tmp/first.csv" || fail "another run made other patients"
# Data that do not fit: the line that does not is named, and the next attempt finds an empty folder.
sed '3s/,[^,]*$/,nonsense/' tests/vectors/dates.csv >"$tmp/bad.csv"
says 2 'line 3' "$maille" sandbox up --dir "$net-real" --data "$tmp/bad.csv" --dictionary tests/vectors/dates.dictionary.yaml --sites 3
[ -z "$(ls -A "$net-real")" ] || fail "a sandbox that could not be made left files"
# Real data are never called synthetic.
"$maille" sandbox up --dir "$net-real" --data tests/vectors/dates.csv --dictionary tests/vectors/dates.dictionary.yaml --sites 3 >/dev/null
"$maille" sandbox run --dir "$net-real" "$tmp/trial.yaml" --json "$tmp/result.json" --csv "$tmp/real" >"$tmp/said.txt" || true
json 'r["synthetic"] is False'
! grep -qi synthetic "$tmp/said.txt" || fail "real data are called synthetic"
! grep -qi synthetic "$tmp"/real/*.csv || fail "tables of real data are called synthetic"
done_well
