#!/bin/sh
# Goal: a network that upgrades site by site. Programs of before version 2 of the wire, built from git, and those of today, on one network:
# whoever is of another version is named with what to install, at once; nobody hangs; and the old sites' folders go on with the new programs.
#   tests/network/old_worker.sh BUILD      BUILD: the folder that today's programs were built in; a few minutes, most of them for the old ones
set -eu
cd "$(dirname "$0")/../.."
last=f2470de4742d8317da4abcd113ec7fdbb464ecd2 # the last commit that spoke version 1
MAILLE_BIN=$1/bin MAILLE_TEST_TMP=$(cd "$1" && pwd)/tmp/old_worker
. tests/e2e/lib.sh
# Its warnings are not ours to mend.
git archive "$last" --prefix=old/ | tar -x -C "$tmp"
(cd "$tmp/old" && cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_FLAGS=-Wno-error \
        -DCMAKE_RUNTIME_OUTPUT_DIRECTORY="$tmp/old/bin" &&
    cmake --build build -j "$(nproc)" --target maille maille-worker maille-coordinator) >"$tmp/old.log" 2>&1 || { tail "$tmp/old.log"; fail "the old programs do not build"; }
old=$tmp/old/bin examples=$tmp/old/examples/rotterdam
echo "policy: open" >"$tmp/policy.yaml"
study first 'sites: all' 'grid: month' 'analyses:' '  - { id: os, method: km, formula: "Surv(dtime, death) ~ chemo" }'

# quick SECONDS STATUS WORDS COMMAND…: as says, and within so many seconds.
quick() {
    most=$1 began=$(date +%s)
    shift
    says "$@"
    [ $(($(date +%s) - began)) -le "$most" ] || fail "expected an end within $most s: $*"
}

# upgrade SITE: its registry is imported again, which the new snapshots need, and the new program goes on with its folder.
upgrade() {
    "$bin/maille-worker" import --dir "$net/sites/$1" --dictionary "$examples/dictionary.yaml" --data "$net/sites/$1/data.csv" --public --yes \
        --credential "$net/credential" >"$tmp/import.out"
    says 0 "another version of maille wrote snapshot 1" cat "$tmp/import.out"
    "$maille" sandbox restart --dir "$net" "$1" >"$tmp/restart.out"
}

# All of version 1.
"$old/maille" sandbox up --dir "$net" --data "$examples/rotterdam.csv" --dictionary "$examples/dictionary.yaml" --policy "$tmp/policy.yaml" >"$tmp/up.out"
"$old/maille" sandbox run --dir "$net" "$tmp/first.yaml" --json "$tmp/result.json" >/dev/null
json 'a["os"]["status"] == "ok"'
python3 -c 'import json, sys; print(json.dumps({"analyses": json.load(open(sys.argv[1]))["analyses"]}))' "$tmp/result.json" >"$tmp/before.json"
quick 30 3 "coordinator coordinator to speak version 2 of the wire, found version 1; it needs maille" \
    "$maille" sandbox run --dir "$net" "$tmp/first.yaml"

# The coordinator and five sites in one night; site-6 does not find the time.
"$old/maille" sandbox down --dir "$net" >/dev/null
"$maille" sandbox restart --dir "$net" coordinator >/dev/null
for site in 1 2 3 4 5; do upgrade site-$site; done
"$old/maille" sandbox restart --dir "$net" site-6 >/dev/null
wait_for 30 grep -q "site-6 is connected" "$net/coordinator/program.log"
quick 30 3 "site-6 needs maille" "$maille" sandbox run --dir "$net" "$tmp/first.yaml"
named() {
    "$bin/maille-coordinator" status --dir "$net/coordinator" >"$tmp/status" && grep -q "version 1 of the wire.* site-6 needs maille" "$tmp/status"
}
wait_for 30 named # it is written down every ten seconds
ask "$tmp/first.yaml" --without site-6
json 'a["os"]["status"] == "ok" and len(r["roster"]["answered"]) == 5'
# The researcher who has not upgraded hears of it too.
quick 60 1 "wire_version" timeout 50 "$old/maille" sandbox run --dir "$net" "$tmp/first.yaml"

# And then it does.
"$old/maille" sandbox kill --dir "$net" site-6 >/dev/null
upgrade site-6
ask "$tmp/first.yaml"
json 'a["os"]["status"] == "ok" and len(r["roster"]["answered"]) == 6'
python3 tests/compare.py "$tmp/result.json" "$tmp/before.json" --rtol 1e-12 >"$tmp/compared" || { cat "$tmp/compared"; fail "other numbers after the upgrade"; }
checks=$((checks + 1))
done_well
