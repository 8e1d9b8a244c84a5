# Sourced by the end-to-end tests: real programs, a sandbox per test, words that must be said.
set -eu
bin=${MAILLE_BIN:?expected MAILLE_BIN, the folder of the programs}
maille=$bin/maille
tmp=${MAILLE_TEST_TMP:?expected MAILLE_TEST_TMP, a folder of the test}
rm -rf "$tmp"
mkdir -p "$tmp"
tmp=$(realpath "$tmp") # as /proc tells of open files
# Not under the build folder: sandboxes hold sockets' ports and pids of this run only.
net=$tmp/net
checks=0
export NO_COLOR=1 XDG_STATE_HOME="$tmp/state"

strays= # pids of programs that no sandbox knows
down() {
    status=$?
    [ -z "$strays" ] || kill $strays 2>/dev/null || true
    for folder in "$tmp"/net*; do
        [ -d "$folder" ] && "$maille" sandbox down --dir "$folder" >/dev/null 2>&1
    done
    exit $status
}
trap down EXIT
trap 'exit 130' INT TERM

# up [options of sandbox up]: the Rotterdam data at six sites in $net.
up() {
    "$maille" sandbox up --dir "$net" --data examples/rotterdam/rotterdam.csv --dictionary examples/rotterdam/dictionary.yaml "$@" >"$tmp/up.out"
}

# ask STUDY [options of sandbox run]: result in $tmp/result.json.
ask() {
    study=$1
    shift
    rm -f "$tmp/result.json"
    "$maille" sandbox run --dir "$net" "$study" --json "$tmp/result.json" "$@"
}

# study NAME LINE…: a study file $tmp/NAME.yaml with a head and these lines below it.
study() {
    name=$1
    shift
    {
        echo "study: $name"
        echo "dictionary: rotterdam@1"
        echo "title: $name"
        echo "purpose: research-public-interest"
        echo "legal_basis: MR-004"
        echo "protocol: HDH-0000"
        grep -q '^expires:' <<WORDS || echo "expires: 2099-12-31"
$(printf '%s\n' "$@")
WORDS
        printf '%s\n' "$@"
    } >"$tmp/$name.yaml"
}

fail() {
    echo "FAILED: $*" >&2
    for log in "$tmp"/net*/coordinator/program.log "$tmp"/net*/sites/*/program.log; do
        [ -f "$log" ] && { echo "-- $log" >&2; tail -n 5 "$log" >&2; }
    done
    exit 1
}

# says STATUS WORDS COMMAND…: the command ends with this status and its words hold WORDS (a grep pattern).
says() {
    wanted=$1 words=$2
    shift 2
    status=0
    "$@" >"$tmp/said" 2>&1 || status=$?
    [ "$status" = "$wanted" ] || { cat "$tmp/said" >&2; fail "expected exit status $wanted, found $status: $*"; }
    [ -z "$words" ] || grep -q -- "$words" "$tmp/said" || { cat "$tmp/said" >&2; fail "expected \"$words\" from: $*"; }
    checks=$((checks + 1))
}

# json EXPRESSION: a Python expression over the result r must be true.
json() {
    python3 -c '
import json, sys
r = json.load(open(sys.argv[1]))
a = {x["id"]: x for x in r["analyses"]}
sys.exit(0 if eval(sys.argv[2]) else 1)' "$tmp/result.json" "$1" || { python3 -m json.tool "$tmp/result.json" | head -n 60 >&2; fail "expected $1"; }
    checks=$((checks + 1))
}

# wait_for SECONDS COMMAND…: until it succeeds, which takes so long at most; a machine that is slow, or that others use, has five times as long.
wait_for() {
    end=$(($(date +%s) + 5 * $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -lt "$end" ] || fail "expected within the time: $*"
        sleep 0.1
    done
    checks=$((checks + 1))
}

done_well() {
    echo "$checks checks passed"
}
