#!/bin/sh
# check.sh FEDERATE PYTHON DATA.NAME SITES [POLICY]: runs tests/vectors/DATA.NAME.study.yaml over SITES sites and compares with R's numbers.
set -eu
vector=$3
data=${vector%%.*}
out=${MAILLE_TEST_TMP:-/tmp}/result.json
study=tests/vectors/$vector.study.yaml
[ -f "$study" ] || study=examples/$data/${vector#*.}.yaml # rotterdam.all-methods: an example's own study
[ -f "$study" ] || study=examples/$data/study.yaml        # rotterdam.demo
"$1" "$data" "$study" "$4" 1 "$out" ${5:+"$5"}
# What so few patients are asked that they are of fewer sites than any policy takes: tests/network/vectors_test.c sees it refused.
skipped=
[ "${5:-}" != tests/vectors/circle.yaml ] || skipped=$(sed -n 's/^# of too few sites: /--skip /p' "$study")
# Behind threshold rounds the counts of a concordance are asked only where they fit what 64 MiB leave each of the sites.
or_null=
[ -z "${5:-}" ] || [ "$4" -le 6 ] || or_null=--concordance-or-null
exec "$2" tests/compare.py "$out" "tests/vectors/$vector.gold.json" --rtol 1e-9 --atol 1e-300 --field-rtol p_value=1e-7 \
    --strict-labels --all $or_null $skipped
