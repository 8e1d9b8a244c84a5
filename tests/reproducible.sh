#!/bin/sh
# Two builds of one commit, in folders of other names and lengths, with other locales, zones, umasks and numbers of jobs, and no compiler
# cache: the three programs have the same bytes. Prints their SHA-256. Minutes; scripts/test --all.
#   tests/reproducible.sh [COMMIT]     without it: HEAD
set -eu
cd "$(dirname "$0")/.."
commit=$(git rev-parse --verify "${1:-HEAD}^{commit}")
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct "$commit")
export SOURCE_DATE_EPOCH
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
first=$scratch/a second="$scratch/a folder with a longer name/maille"

# build FOLDER JOBS
build() {
    mkdir -p "$1"
    git archive "$commit" | tar -x -C "$1"
    (cd "$1" && env -u CMAKE_C_COMPILER_LAUNCHER CCACHE_DISABLE=1 cmake --preset release &&
        CCACHE_DISABLE=1 cmake --build --preset release -j "$2" --target maille maille-worker maille-coordinator) >"$scratch/log" 2>&1 ||
        { tail -n 20 "$scratch/log" >&2; echo "reproducible: expected a build in $1, found the errors above" >&2; exit 1; }
}
(umask 022; export LC_ALL=C TZ=UTC; build "$first" "$(nproc)")
(umask 077; export LC_ALL=C.UTF-8 TZ=Asia/Kathmandu HOME="$scratch"; build "$second" 1)
status=0
for program in maille maille-worker maille-coordinator; do
    cmp "$first/build/release/bin/$program" "$second/build/release/bin/$program" || status=1
    (cd "$first/build/release/bin" && sha256sum "$program")
done
[ $status = 0 ] || echo "reproducible: expected the same bytes of two builds, found other ones" >&2
exit $status
