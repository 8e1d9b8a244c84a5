#!/bin/sh
# Bit rules 2, 5 and 6, end to end (docs/decisions/0002-exact-sums.md).
# bits.sh FEDERATE PYTHON DATA.NAME: the same patients give the same bytes, however they lie: on 1, 3, 7 and 20 sites dealt out
# differently, with their rows in another order, with 1, 2 and 4 threads, with and without vector instructions.
set -eu
federate=$1
python=$2
vector=$3
data=${vector%%.*}
study=tests/vectors/$vector.study.yaml
[ -f "$study" ] || study=examples/$data/${vector#*.}.yaml # rotterdam.all-methods: an example's own study
table=tests/vectors/$data.csv
[ -f "$table" ] || table=examples/$data/$data.csv
tmp=${MAILLE_TEST_TMP:-/tmp}

"$python" - "$table" "$tmp/shuffled.csv" <<'PY'
import random, sys
head, *rows = open(sys.argv[1], encoding="utf-8", newline="").readlines()
random.Random(20240603).shuffle(rows)
open(sys.argv[2], "w", encoding="utf-8", newline="").writelines([head] + rows)
PY

# run NAME DATA SITES SEED THREADS: its result file without the number of sites.
run() {
    "$federate" "$2" "$study" "$3" "$4" "$tmp/$1.json" "$5" 2>/dev/null
    "$python" -c 'import re, sys; print(re.sub(r"\"sites\": \d+,", "", open(sys.argv[1]).read(), count=1))' "$tmp/$1.json" >"$tmp/$1.txt"
}
run one "$data" 1 1 1
run three "$data" 3 3 2
run seven "$data" 7 7 4
run twenty "$data" 20 20 1
run order "$data=$tmp/shuffled.csv" 1 1 4
run order_seven "$data=$tmp/shuffled.csv" 7 8 2
export MAILLE_SCALAR=1
run scalar "$data" 1 1 1
run scalar_twenty "$data=$tmp/shuffled.csv" 20 21 2
for other in three seven twenty order order_seven scalar scalar_twenty; do
    cmp "$tmp/one.txt" "$tmp/$other.txt" || {
        echo "$vector: expected the bytes of one site, found others on: $other" >&2
        exit 1
    }
done
