# Goal: the made-up registry has the figures that were published, and eighteen sites answer them; every output says that it is made up.
. tests/e2e/lib.sh
says 0 '22109 made-up patients of 18 centres' "$bin/maille-worker" synth --profile esme-mbc --out "$tmp/registry"
says 2 'expected --profile esme-mbc' "$bin/maille-worker" synth --profile other --out "$tmp/other"
python3 -B examples/esme-mbc/figures.py "$tmp/registry" >"$tmp/figures" || { cat "$tmp/figures"; fail "a figure is outside of its limits"; }
while read -r line; do
    grep -qxF "$line" examples/esme-mbc/README.md || fail "examples/esme-mbc/README.md has not the line: $line"
done <"$tmp/figures"
"$bin/maille-worker" synth --profile esme-mbc --out "$tmp/again" >/dev/null
cmp "$tmp/registry/patients.csv" "$tmp/again/patients.csv" && cmp "$tmp/registry/lines.csv" "$tmp/again/lines.csv" || fail "the same seed gave other patients"
says 0 'no problem' "$bin/maille-worker" check --dictionary examples/esme-mbc/dictionary.yaml --data "$tmp/registry/patients.csv"
# Two tables: what a patient has out of the lines, held against the lines themselves.
cp examples/esme-mbc/lines/*.yaml "$tmp/registry"
says 0 'no problem' "$bin/maille-worker" check --dictionary "$tmp/registry/dictionary.yaml" --data "$tmp/registry/patients.csv" \
    --tables "$tmp/registry/rules.yaml" --json "$tmp/lines.json"
python3 - "$tmp" <<'PYTHON' || fail "variables out of the lines differ from the lines"
import collections, csv, json, sys
tmp = sys.argv[1]
lines = list(csv.DictReader(open(tmp + "/registry/lines.csv")))
found = {v["name"]: v for v in json.load(open(tmp + "/lines.json"))["variables"]}
own = collections.defaultdict(list)
for line in lines:
    own[line["pid"]].append(line)
last = collections.Counter(max(rows, key=lambda r: (r["begin"], int(r["line"])))["class"] for rows in own.values())
cdk = sum(any(r["class"] == "ET+CDK4/6i" for r in rows) for rows in own.values())
sys.exit(not (found["n_lines"]["max"] == str(max(map(len, own.values()))) and found["second_line"]["present"] == sum(len(r) > 1 for r in own.values())
              and found["last_class"]["levels"] == {name: last.get(name, 0) for name in found["last_class"]["levels"]}
              and found["cdk_ever"]["levels"]["TRUE"] == cdk))
PYTHON
"$maille" sandbox up --dir "$net" --data "$tmp/registry/patients.csv" --split-by centre \
    --dictionary examples/esme-mbc/dictionary.yaml --policy examples/esme-mbc/policy.yaml >"$tmp/up.out"
ask examples/esme-mbc/study.yaml --report "$tmp/report.html" >"$tmp/terminal"
python3 -B examples/esme-mbc/published.py "$tmp/result.json" >"$tmp/published" || { cat "$tmp/published"; fail "the network's answer differs from what was published"; }
json 'r["synthetic"] and r["sites"] == 18'
grep -q 'Synthetic data' "$tmp/terminal" && grep -q 'Synthetic data' "$tmp/report.html" || fail "an output does not say that it is synthetic"
done_well
