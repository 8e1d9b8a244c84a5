#!/bin/sh
# Lines of every parser that the corpus in the tree reaches (clang's own counts, llvm-cov): one row a file, the
# share of all lines at the end. A second argument adds inputs that run.sh has found and keeps.
#   tests/fuzz/coverage.sh [FOLDER [CORPUS]]    build in FOLDER (build/coverage); further inputs in CORPUS/TARGET
#   SHOW=FILE tests/fuzz/coverage.sh            the lines of that file that nothing reached
set -eu
cd "$(dirname "$0")/../.."
folder=${1:-build/coverage} more=${2:-}
targets=$(sed -n 's/^maille_fuzz(\([a-z_]*\) .*/\1/p' tests/fuzz/CMakeLists.txt)

cmake -S . -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_COMPILER=clang -DCMAKE_RUNTIME_OUTPUT_DIRECTORY="$PWD/$folder/bin" \
    -DCMAKE_C_FLAGS="-O1 -fprofile-instr-generate -fcoverage-mapping" >/dev/null
mkdir -p "$folder/tmp" "$folder/raw"
# shellcheck disable=SC2046
cmake --build "$folder" --target $(printf 'fuzz_%s ' $targets) >"$folder/build.log" || { tail -n 20 "$folder/build.log"; exit 1; }
rm -f "$folder"/raw/*
export MAILLE_TEST_TMP="$PWD/$folder/tmp" MAILLE_FUZZ_BUDGET=no
objects=
for target in $targets; do
    objects="$objects -object $folder/bin/fuzz_$target"
    for corpus in "tests/fuzz/corpus/$target" ${more:+"$more/$target"}; do
        [ -n "$(ls -A "$corpus" 2>/dev/null)" ] || continue
        LLVM_PROFILE_FILE="$folder/raw/%p.profraw" "$folder/bin/fuzz_$target" "$corpus" >/dev/null ||
            { echo "coverage.sh: fuzz_$target failed on $corpus" >&2; exit 1; }
    done
done
llvm-profdata merge -o "$folder/all.profdata" "$folder"/raw/*.profraw
# The parsers of foreign bytes: README.md has them door by door.
parsers=$(sed -n 's/^| `[a-z_]*` | .* | \(`[^|]*`\) |.*$/\1/p' tests/fuzz/README.md | tr -d '`,' | tr ' ' '\n' | sort -u)
if [ -n "${SHOW:-}" ]; then
    # shellcheck disable=SC2086
    llvm-cov show ${objects# -object } -instr-profile="$folder/all.profdata" "$SHOW" | grep -E '^ *[0-9]+\| +0\|'
    exit 0
fi
# shellcheck disable=SC2086
llvm-cov export ${objects# -object } -instr-profile="$folder/all.profdata" -summary-only | PARSERS="$parsers" python3 -c '
import json, os, sys
n = of = 0
wanted = os.environ["PARSERS"].split()
for file in sorted(json.load(sys.stdin)["data"][0]["files"], key=lambda f: f["filename"]):
    if os.path.relpath(file["filename"]) not in wanted:
        continue
    lines = file["summary"]["lines"]
    n += lines["covered"]
    of += lines["count"]
    print("%5.1f %%  %4d of %4d  %s" % (lines["percent"], lines["covered"], lines["count"], os.path.relpath(file["filename"])))
print("%5.1f %%  %4d of %4d  all" % (100 * n / of, n, of))'
