#!/bin/sh
# bits.sh FEDERATE PYTHON DATA.NAME: the same patients on 1, 4 and 17 sites, dealt out differently, give the same bytes.
set -eu
vector=$3
data=${vector%%.*}
tmp=${MAILLE_TEST_TMP:-/tmp}
for sites in 1 4 17; do
    "$1" "$data" "tests/vectors/$vector.study.yaml" $sites $sites "$tmp/$sites.json"
    "$2" -c 'import re, sys; print(re.sub(r"\"sites\": \d+,", "", open(sys.argv[1]).read(), count=1))' "$tmp/$sites.json" >"$tmp/$sites.txt"
done
cmp "$tmp/1.txt" "$tmp/4.txt"
cmp "$tmp/1.txt" "$tmp/17.txt"
