# Goal: lines of treatment and rows (start, stop] come out of drugs and visits by rules that a dictionary names by their hash; other rules, and
# none, are refused; the pooled Cox model of these rows, Surv(start, stop, event), is the one of rows that were cut by hand.
. tests/e2e/lib.sh
cp examples/esme-mbc/drugs/*.yaml "$tmp"
sed -n '/^derive: mbc-drugs@1$/,/^```$/p' docs/IMPORT.md | sed '$d' | cmp - "$tmp/rules.yaml" || fail "docs/IMPORT.md has not the rules of examples/esme-mbc/drugs"
python3 - "$tmp" <<'PYTHON'
# Made-up patients, and by a way of its own the rows that must come out.
import csv, datetime, random, sys
tmp, random = sys.argv[1], random.Random(1)
drugs, visits, patients, rows = [], [], [], []
day = lambda n: (datetime.date(2010, 1, 1) + datetime.timedelta(n)).isoformat()
kinds = {"letrozole": "ET", "palbociclib": "ET+CDK4/6i", "paclitaxel": "chemo", "trastuzumab": "anti-HER2"}
for p in range(240):
    pid, met, stop, died = "P%03d" % p, random.randrange(500), random.randrange(40, 900), random.random() < 0.7
    age = random.randrange(30, 90)
    changes = {}  # day after the diagnosis: what holds from then on
    begin, last = random.randrange(-20, 60), None
    given = []
    for drug in random.sample(sorted(kinds), random.randrange(5)):
        given.append((begin, drug))
        begin += random.randrange(60, 300)
    for i, (begin, drug) in enumerate(given):
        end = given[i + 1][0] if i + 1 < len(given) else None
        drugs.append([pid, drug, day(met + begin), "" if end is None else day(met + end - random.randrange(5)), "metastatic"])
        changes.setdefault(begin, {}).update(line=i + 1, **{"class": kinds[drug]})
    drugs.append([pid, "paclitaxel", day(met - 700), "", "adjuvant"])
    drugs.append([pid, "denosumab", day(met + 5), "", "metastatic"])
    for seen in random.sample(range(-30, 800), random.randrange(6)):
        ps = random.randrange(4)
        visits.append([pid, day(met + seen), ps])
        changes.setdefault(seen, {})["ps"] = ps
    patients.append([pid, age, day(met), day(met + stop), str(died).upper()])
    now, start = {"ps": "", "line": "", "class": ""}, 0
    for at in sorted(changes) + [stop]:
        then = {**now, **changes.get(at, {})}
        if at >= stop:
            rows.append([pid, age, day(met), day(met + stop), str(died).upper(), start, stop, *now.values()])
            break
        if at > 0 and then != now:
            rows.append([pid, age, day(met), day(met + stop), "FALSE", start, at, *now.values()])
            start = at
        now = then
    second = given[1] if len(given) > 1 else None
    for row in rows[::-1]:
        if row[0] != pid:
            break
        row += [len(given), day(met + second[0]) if second else "", kinds[second[1]] if second else ""]
random.shuffle(drugs)
random.shuffle(visits)
for name, header, lines in (
        ("patients", ["pid", "age", "date_met", "last_news", "death"], patients), ("visits", ["pid", "seen", "ps"], visits),
        ("drugs", ["pid", "drug", "begin", "end", "setting"], drugs),
        ("rows", ["pid", "age", "date_met", "last_news", "death", "start", "stop", "ps", "line", "class", "n_lines", "second_line",
                  "second_class"], rows)):
    with open("%s/%s.csv" % (tmp, name), "w", newline="") as to:
        csv.writer(to).writerows([header] + lines)
PYTHON
check() { "$bin/maille-worker" check --dictionary "$tmp/dictionary.yaml" --data "$tmp/patients.csv" "$@"; }
hash=$(sed -n 's/^tables: //p' "$tmp/dictionary.yaml")
says 0 "tables: $hash" check --tables "$tmp/rules.yaml" --json "$tmp/made.json"
says 2 "expected --tables with the rules $hash" check

# The same rules in other words and with other files are the same; other rules are not, nor is another dictionary of a table.
mv "$tmp/drugs.csv" "$tmp/given.csv"
sed 's/ file: drugs.csv/    file: given.csv/; s/^rows:/# rows\nrows:/' "$tmp/rules.yaml" >"$tmp/words.yaml"
says 0 "tables: $hash" check --tables "$tmp/words.yaml"
sed 's/together: 28/together: 14/' "$tmp/words.yaml" >"$tmp/other.yaml"
says 2 "the rules $hash, which .* asks for, found the rules [0-9a-f]*; ask the network" check --tables "$tmp/other.yaml"
sed -i 's/max: 4 }/max: 5 }/' "$tmp/visits.yaml"
says 2 "the rules $hash, which" check --tables "$tmp/words.yaml"
cp examples/esme-mbc/drugs/visits.yaml "$tmp"

# Each variable has the values of the rows that were cut by hand.
sed '/^tables:/d' "$tmp/dictionary.yaml" >"$tmp/plain.yaml"
says 0 'no problem' "$bin/maille-worker" check --dictionary "$tmp/plain.yaml" --data "$tmp/rows.csv" --json "$tmp/hand.json"
python3 - "$tmp" <<'PYTHON' || fail "rows differ from those that were cut by hand"
import json, sys
made, hand = (json.load(open("%s/%s.json" % (sys.argv[1], name))) for name in ("made", "hand"))
for a, b in zip(made["variables"], hand["variables"]):
    for key in ("name", "min", "median", "max", "levels"):
        if a.get(key) != b.get(key):
            sys.exit("%s: %s is %s, by hand %s" % (a["name"], key, a.get(key), b.get(key)))
PYTHON

# The model: sites that import rows cut by hand, and then what they are made of.
mkdir "$tmp/asked"
cp "$tmp/study.yaml" "$tmp/asked"
cp "$tmp/plain.yaml" "$tmp/asked/dictionary.yaml"
"$maille" sandbox up --dir "$net" --sites 3 --data "$tmp/rows.csv" --dictionary "$tmp/plain.yaml" --policy open >"$tmp/up.out"
ask "$tmp/asked/study.yaml" >"$tmp/asked.out"
json 'a["cox"]["status"] == "ok"'
cp "$tmp/result.json" "$tmp/hand.json"
for site in "$net"/sites/*; do
    awk -F, 'NR == FNR { own[$1]; next } $1 in own' "$site/data.csv" "$tmp/patients.csv" >"$site/patients.csv"
    says 0 "snapshot 2" "$bin/maille-worker" import --dir "$site" --dictionary "$tmp/plain.yaml" --data "$site/patients.csv" --tables "$tmp/words.yaml" \
        --credential "$net/credential" --public --yes
done
says 0 "tables $hash" "$maille" audit show "$net/sites/site-1/log" --network "$net/network.yaml" --details --lang en
ask "$tmp/asked/study.yaml" >"$tmp/asked.out"
python3 - "$tmp" <<'PYTHON' || fail "the model of the rows differs from the one of rows that were cut by hand"
import json, sys
made, hand = (json.load(open("%s/%s.json" % (sys.argv[1], name)))["analyses"][0] for name in ("result", "hand"))
sys.exit(made["status"] != "ok" or made["result"] != hand["result"])
PYTHON
done_well
