#!/bin/sh
# vectors.sh PROGRAM STUDY GOLD SITES TMP: the study over SITES sites agrees with the gold file at the tolerances of docs/methods.
set -eu
out=$5/$(basename "$3" .gold.json).$4.json
"$1" "$2" "$4" "$4" "$out"
exec python3 tests/compare.py "$out" "$3" --rtol 1e-9 --atol 1e-12 --field-rtol p_value=1e-7 --all
