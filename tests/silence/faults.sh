#!/bin/sh
# Takes each fix of the rule of silence out of a copy of the tree, builds the test that must find it, and expects it to fail.
#     tests/silence/faults.sh BUILD [FAULT]
# BUILD: a configured build folder, whose compilers and options are used. One fault a minute or two: behind scripts/test --all.
set -eu
build=$(cd "$1" && pwd)
only=${2:-}
root=$(git rev-parse --show-toplevel)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
generator=$(sed -n 's/^CMAKE_GENERATOR:INTERNAL=//p' "$build/CMakeCache.txt")
compiler=$(sed -n 's/^CMAKE_C_COMPILER:[A-Z]*=//p' "$build/CMakeCache.txt")
launcher=$(sed -n 's/^CMAKE_C_COMPILER_LAUNCHER:[A-Z]*=//p' "$build/CMakeCache.txt")
cd "$root"
git ls-files -z | xargs -0 cp --parents -t "$tmp"
cd "$tmp"
git init -q .
copy=build/dev # as deep as the folder of a preset: the compiler's cache knows the files
cmake -G "$generator" -S . -B $copy -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_C_COMPILER="$compiler" ${launcher:+-DCMAKE_C_COMPILER_LAUNCHER="$launcher"} >configure.log 2>&1 || {
    tail -20 configure.log
    exit 1
}
run() { # TEST: builds and runs it
    target=test_$(echo "$1" | tr . _)
    cmake --build $copy --target "$target" -j2 >build.log 2>&1 || {
        tail -20 build.log
        echo "faults.sh: $1 does not build"
        exit 1
    }
    MAILLE_SILENCE_DEALS=2 ctest --test-dir $copy -R "^$(echo "$1" | sed 's/\./\\./g')\$" >test.log 2>&1
}
failed=0
for patch in tests/silence/faults/*.patch; do
    name=$(basename "$patch" .patch)
    [ -z "$only" ] || [ "$only" = "$name" ] || continue
    test=$(sed -n 's/^test: //p' "$patch")
    if ! patch -p1 -s --dry-run <"$patch" >patch.log 2>&1; then
        cat patch.log
        echo "faults.sh: $name does not apply any more: take that fix out of today's code, and make the patch anew"
        failed=1
        continue
    fi
    patch -p1 -s <"$patch"
    if run "$test"; then
        echo "faults.sh: expected $test to fail without the fix ($name: $(head -n 1 "$patch")), found that it passes"
        failed=1
    else
        echo "$name: found by $test"
    fi
    patch -p1 -s -R <"$patch"
done
exit $failed
