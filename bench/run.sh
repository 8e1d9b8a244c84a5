#!/bin/sh
# Builds the release preset, measures, and prints one table in Markdown (docs/PERFORMANCE.md says what the rows are).
#   bench/run.sh [--folder DIR] [--rows N] [PART…]
# DIR (default /tmp/maille-bench; a few GB) keeps the made-up patients from run to run. N: patients of the kernels'
# rows, 10000000 unless said. PARTs are the names below; all of them unless said.
# A part is bench/part_NAME.sh: it gets DIR, N and the folder of the programs, and prints rows (bench/bench.h):
#   row TAB what TAB dataset TAB threads TAB processes TAB value TAB unit TAB compared with TAB its value TAB target
# target: the least that (its value / value) may be. Other lines are shown on standard error.
set -eu
cd "$(dirname "$0")/.."
folder=/tmp/maille-bench rows=10000000 parts=
while [ $# -gt 0 ]; do
    case $1 in
    --folder) folder=$2; shift 2 ;;
    --rows) rows=$2; shift 2 ;;
    --help | -h) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) echo "bench/run.sh: expected --folder or --rows, found \"$1\"" >&2; exit 2 ;;
    *) parts="$parts $1"; shift ;;
    esac
done
[ -n "$parts" ] || parts=$(ls bench/part_*.sh | sed 's|.*/part_\(.*\)\.sh|\1|' | tr '\n' ' ')
log=$(mktemp)
trap 'rm -f "$log" "$log.rows"' EXIT
{ cmake --preset release && cmake --build --preset release && cmake --build --preset release --target speed; } \
    >"$log" 2>&1 || { tail -n 20 "$log" >&2; exit 1; }
mkdir -p "$folder"
: >"$log.rows"
for part in $parts; do
    echo "measuring: $part" >&2
    sh "bench/part_$part.sh" "$folder" "$rows" build/release/bin >"$log" || exit 1
    grep -P '^row\t' "$log" >>"$log.rows" || true
    grep -vP '^row\t' "$log" >&2 || true
done
printf 'commit %s, %s, %s cores, %s, load after %s\n\n' "$(git rev-parse --short HEAD)" \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" "$(gcc --version | head -n 1)" \
    "$(cut -d' ' -f1-3 /proc/loadavg)"
awk -F '\t' '
BEGIN {
    print "| what | dataset | threads | processes | measured | compared with | its figure | ratio | target | reached |"
    print "| --- | --- | --: | --: | --: | --- | --: | --: | --: | --- |"
}
{
    target = $10 > 0 ? "≥ " $10 : "–"
    printf "| %s | %s | %s | %s | %.4g %s | %s |", $2, $3, $4, $5, $6, $7, $8
    if ($9 > 0) {
        reached = $10 <= 0 ? "–" : $9 / $6 >= $10 ? "yes" : "**no**"
        printf " %.4g %s | %.2f | %s | %s |\n", $9, $7, $9 / $6, target, reached
    } else {
        printf " – | – | %s | – |\n", target
    }
}' "$log.rows"
