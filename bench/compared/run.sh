#!/bin/sh
# The figures of docs/COMPARED.md: one study, the same patients at the same six sites, in each system that runs here.
# From the repository's root, after `cmake --build --preset dev` and bench/compared/prepare.sh LIB. Usage: run.sh LIB [BIN]
set -eu
export R_LIBS="$1"
bin=${2:-build/dev/bin}
folder=$(mktemp -d)
finish() {
    "$bin/maille" sandbox down --dir "$folder/net" >/dev/null 2>&1 || true
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT TERM
"$bin/maille" sandbox up --dir "$folder/net" --data examples/rotterdam/rotterdam.csv --dictionary examples/rotterdam/dictionary.yaml --sites 6 >/dev/null
echo "system                     study  worst coefficient, relative and in standard errors; seconds"
"$bin/maille" sandbox run --dir "$folder/net" bench/compared/study.yaml --quiet --json "$folder/result.json"
Rscript bench/compared/maille.R "$folder/net" "$folder/result.json"
Rscript bench/compared/datashield.R "$folder/net" 2>"$folder/log" || { tail -n 5 "$folder/log" >&2; exit 1; }
Rscript bench/compared/pda.R "$folder/net" 2>"$folder/log" || { tail -n 5 "$folder/log" >&2; exit 1; }
