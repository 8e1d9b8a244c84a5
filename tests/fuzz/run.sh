#!/bin/sh
# Fuzzes every door with libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer.
#   tests/fuzz/run.sh [SECONDS [TARGET…]]      seconds for each target (60); all of them
#   tests/fuzz/run.sh count                    how many inputs each target had so far, and how many a second
# Inputs that find new code are kept in build/fuzz/corpus/TARGET; one that fails stays in build/fuzz/found/.
# LENGTH=n: no input is longer than n bytes. Each run adds a line to build/fuzz/executions: target, inputs, seconds.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-60}
[ $# -eq 0 ] || shift
if [ "$seconds" = count ]; then
    sort build/fuzz/executions | awk '
        { n[$1] += $2; s[$1] += $3; all += $2; if (last != $1) order[++k] = last = $1 }
        END { for (i = 1; i <= k; i++) printf "%-12s %12d %8.0f a second\n", order[i], n[order[i]], n[order[i]] / s[order[i]]
              printf "%-12s %12d\n", "all", all }'
    exit 0
fi
case $seconds in '' | *[!0-9]*) sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2 ;; esac
[ $# -gt 0 ] || set -- $(sed -n 's/^maille_fuzz(\([a-z_]*\) .*/\1/p' tests/fuzz/CMakeLists.txt)

cmake --preset fuzz >/dev/null
for target; do targets="${targets:-} fuzz_$target"; done
# shellcheck disable=SC2086
cmake --build --preset fuzz -j "$(nproc)" --target $targets >build/fuzz/build.log || { cat build/fuzz/build.log; exit 1; }
mkdir -p build/fuzz/found build/fuzz/tmp
export MAILLE_TEST_TMP="$PWD/build/fuzz/tmp"
export UBSAN_OPTIONS=print_stacktrace=1

status=0
for target; do
    mkdir -p "build/fuzz/corpus/$target"
    # Forms that cost much take 0.2 s without sanitizers, a Cox model of 2^24 events 10 s to its end: what bounds them is a count.
    # HDF5 allocates what a file says.
    timeout=2 malloc=64
    case $target in shown) timeout=30 ;; played) timeout=120 ;; snapshot) malloc=300 ;; esac
    if "build/fuzz/bin/fuzz_$target" -max_total_time="$seconds" -timeout=$timeout -rss_limit_mb=1024 -malloc_limit_mb=$malloc -print_final_stats=1 ${LENGTH:+-max_len="$LENGTH"} \
        -artifact_prefix="build/fuzz/found/$target-" "build/fuzz/corpus/$target" "tests/fuzz/corpus/$target" \
        >"build/fuzz/$target.log" 2>&1; then
        sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$target.log" |
            while read -r runs; do
                echo "$target: $runs inputs in $seconds s"
                echo "$target $runs $seconds" >>build/fuzz/executions
            done
    else
        echo "$target: FAILED, see build/fuzz/$target.log and build/fuzz/found/"
        tail -n 30 "build/fuzz/$target.log"
        status=1
    fi
done
exit $status
