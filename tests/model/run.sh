#!/bin/sh
# Checks circle.pml with spin (README.md): tests/model/run.sh TMP WHAT. Exit status 77 where there is no spin.
#   circle   every property, in the circle and in agent mode: 3 sites, one a liar, 2 rounds, 2 attempts, exhaustively; and with one disk set back
#   guards   each guard taken out: spin must find that the property which it is for is broken
#   more     3 sites with one disk set back and two rosters; 4 sites, 2 rounds, 2 attempts; both exhaustively
#   large    4 sites, 3 rounds, 3 attempts, by bit-state hashing: as far as SECONDS (3600) go
set -eu
command -v spin >/dev/null || {
    echo "run.sh: expected spin (Debian package spin), found none: nothing was checked" >&2
    exit 77
}
here=$(cd "$(dirname "$0")" && pwd)
tmp=${1:?expected a folder to work in} what=${2:?expected circle, guards, more or large}
mkdir -p "$tmp"
cd "$tmp"
cp "$here/circle.pml" .
failed=0

# run [-D…]: the verifier's words are in pan.out.
compile="-O1 -DCOLLAPSE -DMEMLIM=6000" limits="-m100000"
run() {
    # shellcheck disable=SC2086
    if ! { spin "$@" -a circle.pml && gcc -w -DSAFETY $compile -o pan pan.c; } >spin.out 2>&1; then
        cat spin.out >&2
        exit 1
    fi
    # shellcheck disable=SC2086
    ./pan $limits >pan.out
}
figure() { sed -n "s/^ *\([0-9.e+]*\) $1.*/\1/p" pan.out | head -n 1; }
seconds() { sed -n 's/^pan: elapsed time \([0-9.]*\).*/\1/p' pan.out; }

# holds WORDS [-D…]: all that can be reached was reached, and nothing is broken in it.
holds() {
    words=$1
    shift
    run "$@"
    if ! grep -q 'errors: 0$' pan.out || grep -q 'Search not completed\|max search depth too small\|out of memory' pan.out; then
        printf 'BROKEN  %s (%s)\n' "$words" "$*"
        grep '^pan\|rror' pan.out
        spin -t -p -g "$@" circle.pml >trail.out 2>&1 || true
        echo "how: $tmp/trail.out"
        failed=1
    else
        printf 'holds   %s: %s states, %s transitions, %s s\n' "$words" "$(figure 'states, stored')" "$(figure 'transitions')" "$(seconds)"
    fi
}

# breaks WORDS PROPERTY [-D…]: spin finds that it does not hold.
breaks() {
    words=$1 property=$2
    shift 2
    run "$@" -DWATCH="$property"
    if grep -q '^pan:1: assertion violated' pan.out; then
        printf 'breaks  %-15s %s, after %s states\n' "$property" "$words" "$(figure 'states, stored')"
    else
        printf 'NOT FOUND  that %s breaks %s\n' "$words" "$property"
        failed=1
    fi
}

# without GUARD PROPERTY [-D…]
without() {
    guard=$1 property=$2
    shift 2
    breaks "without $guard" "$property" -DOFF_"$guard" "$@"
}

case $what in
circle)
    holds "circle"
    holds "agent mode" -DAGENT
    breaks "(a whole query is reached: its last result leaves)" REACH
    holds "circle, one disk set back, a coordinator that closes a round once" -DRESTORE -DONE_ROSTER -DHONEST_COORDINATOR
    holds "circle, one disk set back, everybody lies: all but ONE_REVEAL" -DRESTORE -DONE_ROSTER -DUNWATCHED=ONE_REVEAL
    breaks "(one disk set back, and everybody lies)" ONE_REVEAL -DRESTORE -DONE_ROSTER
    ;;
guards)
    compile="-O0 -DMEMLIM=6000" # found after a few states: compiling is what takes time
    four="-DSITES=4 -DAGENT -DONE_ROSTER -DODD_NEVER"
    without LOG LOGGED
    without JOURNAL_START ONE_VECTOR
    without JOURNAL_REVEAL ONE_REVEAL
    without JOURNAL_REVEAL OPENED -DROUNDS=1 -DODD_NEVER -DONE_ROSTER
    without ROSTER_ONCE ONE_REVEAL -DROUNDS=1 -DODD_NEVER
    without RHO ROSTER
    without ORDER_REVEALED ONE_REVEAL
    without ORDER_REVEALED OPENED -DROUNDS=1 -DODD_NEVER -DONE_ROSTER
    without ORDER_ROUND ATTEMPTS_SHRINK -DROUNDS=3 -DONE_ROSTER
    without ORDER_ATTEMPT ATTEMPTS_SHRINK
    without ORDER_CUSTODY THETA
    without ORDER_AGREED THETA
    # shellcheck disable=SC2086
    without MEMBERS_NEW ATTEMPTS_SHRINK $four -DROUNDS=1
    # shellcheck disable=SC2086
    without MEMBERS_FROZEN ATTEMPTS_SHRINK $four -DATTEMPTS=1
    without MEMBERS_ENOUGH OPENED
    without ANALYSES ATTEMPTS_SHRINK
    without ATTEMPT ATTEMPTS_SHRINK
    without PREVIOUS CHAIN
    without CLOSE_AGAIN ONE_REVEAL
    without CLOSE_PSI BUNDLE
    without BUNDLE BUNDLE
    without TAGS BUNDLE
    without CLOSE_HASH TOTALS
    without VECTOR TOTALS
    without COMMIT TOTALS
    without TAKEN_SIGNED THETA
    without AGREED_SAME THETA
    guards=$(sed -n 's/^#if.*def OFF_\([A-Z_]*\).*/\1/p' circle.pml | sort -u)
    for guard in $guards; do
        grep -q "^    without $guard " "$here/run.sh" || {
            echo "NOT TRIED  $guard"
            failed=1
        }
    done
    ;;
more)
    holds "agent mode, one disk set back, a coordinator that closes a round once" -DRESTORE -DONE_ROSTER -DHONEST_COORDINATOR -DAGENT
    holds "circle, one disk set back, everybody lies: all but ONE_REVEAL" -DRESTORE -DUNWATCHED=ONE_REVEAL
    holds "agent mode, likewise" -DRESTORE -DUNWATCHED=ONE_REVEAL -DAGENT
    holds "circle of 4" -DSITES=4
    holds "agent mode of 4, one roster" -DSITES=4 -DAGENT -DONE_ROSTER -DODD_NEVER
    ;;
large)
    compile="-O2 -DBITSTATE -DMEMLIM=4000" limits="-m100000 -w31 -k3 -Q$((${SECONDS_MAX:-3600} / 60))"
    run -DSITES=4 -DROUNDS=3 -DATTEMPTS=3
    grep -q 'errors: 0$' pan.out || failed=1
    printf '%s   circle of 4, 3 rounds, 3 attempts: %s states, %s transitions, %s s\n' "$([ $failed = 0 ] && echo sound || echo BROKEN)" \
        "$(figure 'states, stored')" "$(figure 'transitions')" "$(seconds)"
    grep 'hash factor' pan.out
    ;;
*)
    echo "run.sh: expected circle, guards, more or large, found \"$what\"" >&2
    exit 2
    ;;
esac
exit $failed
