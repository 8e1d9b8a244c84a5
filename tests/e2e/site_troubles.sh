# Goal: a site without a patient takes part; a site whose disk is full at the log stops, says so, loses nothing and comes back.
. tests/e2e/lib.sh
up
study fine 'analyses:' '  - { id: d, method: describe, variables: [age] }' '  - { id: km, method: km, formula: "Surv(dtime, death) ~ chemo" }' \
    '  - { id: cox, method: cox, formula: "Surv(dtime, death) ~ age + size" }' '  - { id: q, method: quantile, variable: age, probs: [0.5] }'
ask "$tmp/fine.yaml"
cp "$tmp/result.json" "$tmp/whole.json"

# A header alone never becomes the live snapshot. One patient may, and a site that has nobody in a cohort answers with the others.
head -n 1 examples/rotterdam/rotterdam.csv >"$tmp/header.csv"
says 2 'header alone' "$bin/maille-worker" import --dir "$net/sites/site-6" --dictionary examples/rotterdam/dictionary.yaml \
    --data "$tmp/header.csv" --public --yes --credential "$net/credential"
head -n 2 examples/rotterdam/rotterdam.csv >"$tmp/one.csv"
"$bin/maille-worker" import --dir "$net/sites/site-6" --dictionary examples/rotterdam/dictionary.yaml --data "$tmp/one.csv" --public --yes \
    --credential "$net/credential" >/dev/null
study early 'cohort: year < 1992' 'analyses:' '  - { id: d, method: describe, variables: [age] }' \
    '  - { id: km, method: km, formula: "Surv(dtime, death) ~ chemo" }'
ask "$tmp/early.yaml"
early=$(cat "$net"/sites/site-[1-5]/data.csv | awk -F, '$2 < 1992 && $2 > 0' | wc -l)
json "r['sites'] == 6 and a['d']['n'] == $early and all(x['status'] == 'ok' for x in r['analyses'])"
ask "$tmp/fine.yaml"
json 'r["sites"] == 6 and a["d"]["n"] == 2486 and all(x["status"] == "ok" for x in r["analyses"])'
json '[s["number"] for s in r["snapshots"] if s["site"] == "site-6"] == [2]'
# A bad export changes nothing: every bad cell is named, and the snapshot in force stays.
sed '3s/,1984,/,19x4,/' examples/rotterdam/rotterdam.csv >"$tmp/bad.csv"
says 2 'year' "$bin/maille-worker" import --dir "$net/sites/site-6" --dictionary examples/rotterdam/dictionary.yaml --data "$tmp/bad.csv" --public \
    --credential "$net/credential"
says 2 'line 3\|:3' "$bin/maille-worker" check --dictionary examples/rotterdam/dictionary.yaml --data "$tmp/bad.csv"
[ "$(ls "$net/sites/site-6/snapshots" | grep -c 'h5$')" = 2 ] || fail "expected two snapshots"
"$bin/maille-worker" import --dir "$net/sites/site-6" --dictionary examples/rotterdam/dictionary.yaml --data "$net/sites/site-6/data.csv" --public --yes \
    --credential "$net/credential" >/dev/null
ask "$tmp/fine.yaml"
python3 - "$tmp/result.json" "$tmp/whole.json" <<'PY' || fail "the numbers differ after the patients came back"
import json, sys
a, b = (json.load(open(f))["analyses"] for f in sys.argv[1:3])
sys.exit(0 if a == b else 1)
PY

# A full disk at the log of site-5: its vault, and no other sandbox's, can write no further byte to any file.
log="$net/sites/site-5/log/messages.log"
entries=$(wc -l <"$log")
for process in /proc/[0-9]*; do
    [ "$(cat "$process/comm" 2>/dev/null)" = maille-vault ] || continue
    [ "$(readlink "$process/fd/"* 2>/dev/null | grep -cF "$(realpath "$net")/sites/site-5/log")" -gt 0 ] || continue
    prlimit --pid "${process#/proc/}" --fsize="$(stat -c %s "$log")"
done
says 3 'site-5' ask "$tmp/fine.yaml" # named
says 0 'site-5' ask "$tmp/fine.yaml" --without site-5
json 'r["sites"] == 5'
grep -q 'messages.log\|the log' "$net/sites/site-5/program.log" || fail "expected a word about the log in site-5's program.log"
"$maille" sandbox restart --dir "$net" site-5 >/dev/null
ask "$tmp/fine.yaml"
json 'r["sites"] == 6 and a["d"]["n"] == 2982'
says 0 '^SOUND  site-5: ' "$maille" audit show --network "$net/network.yaml" "$net/sites/site-5/log"
[ "$(wc -l <"$log")" -gt "$entries" ] || fail "expected the log to go on"

# A month without an import: the site makes that snapshot itself, while it serves.
"$maille" sandbox kill --dir "$net" site-4 >/dev/null
sed -i 's/^\(1 .*\) 20..-..-/\1 2020-01-/' "$net/sites/site-4/snapshots/index"
"$maille" sandbox restart --dir "$net" site-4 >/dev/null
wait_for 20 grep -q '^2 ' "$net/sites/site-4/snapshots/index"
done_well
