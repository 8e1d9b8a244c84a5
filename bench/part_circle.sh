# A round over 18 sites in both modes, in turn on the same machine: who opens the sums, the researcher's program (agent mode) or the sites (the
# circle). And what the example study costs in both, at 6 and 18 sites: rounds, and bytes that a site sent and received by its own log. Every
# process runs on this machine, with real keys, CURVE sockets and logs on disk. Beside the rows: the threshold rounds, and seconds of a study.
#   part_circle.sh FOLDER ROWS PROGRAMS      (ROWS is of other parts; MAILLE_BENCH_RUNS: how often, 5 unless said)
set -eu
mkdir -p "$1/circle"
folder=$(cd "$1/circle" && pwd) bin=$(cd "$3" && pwd) here=$(cd "$(dirname "$0")" && pwd) runs=${MAILLE_BENCH_RUNS:-5}
export XDG_STATE_HOME="$folder/state"
trap 'for box in "$folder"/box-*; do "$bin/maille" sandbox down --dir "$box" >/dev/null 2>&1 || true; done' EXIT
example=$here/../examples/rotterdam
[ -e "$folder/esme.csv" ] || { cc -O2 -o "$folder/data" "$here/endtoend_data.c" -lm && "$folder/data" esme 22000 >"$folder/esme.csv"; }

# box NAME POLICY DATA DICTIONARY HOW-TO-SPLIT…: a sandbox that is up
box() {
    name=$1 policy=$2 data=$3 dictionary=$4
    shift 4
    "$bin/maille" sandbox down --dir "$folder/box-$name" >/dev/null 2>&1 || true
    rm -rf "$folder/box-$name"
    "$bin/maille" sandbox up --dir "$folder/box-$name" --data "$data" --dictionary "$dictionary" --policy "$policy" "$@" >/dev/null
}

# ask NAME STUDY: one run. Then of it: "round MS" of every round of values and "threshold MS" of the others, by the coordinator's log;
# "bytes SENT RECEIVED ROUNDS" of the rounds of values, "study SENT RECEIVED" of all messages, by a site's; "ran ROUNDS MS".
ask() {
    "$bin/maille" sandbox run --dir "$folder/box-$1" "$2" --quiet --json "$folder/$1.json" >/dev/null 2>&1 || [ $? = 1 ]
    set -- "$1" "$folder/box-$1"
    site=$(find "$2/sites" -mindepth 1 -maxdepth 1 | sort | head -n 1)
    query=$(sed -n 's/^ "query": "\(.\{8\}\).*/\1/p' "$folder/$1.json")
    "$bin/maille" audit show --messages "$site/log" --network "$2/network.yaml" >"$folder/messages" # a pipe would hide that it failed
    awk -v query="$query" '
        $7 != query || $3 == "note" { next }
        { study[$3] += $6 }
        $4 == "start" { counts = 0; n++ }
        $4 == "masked" { counts = /for the sites alone/; first += counts }
        $4 == "start" || $4 == "end" { for (way in round) { if (!was && n > 1) values[way] += round[way]; round[way] = 0 } }
        { if (n > 0 && $4 != "end") round[$3] += $6; was = counts }
        END { print "study", study["out"], study["in"]; print "bytes", values["out"], values["in"], n - first; print "first", first }' "$folder/messages" >"$folder/site"
    cat "$folder/site"
    "$bin/maille" audit show --messages "$2/coordinator/log" --network "$2/network.yaml" >"$folder/messages"
    awk -v query="$query" -v first="$(awk '$1 == "first" { print $2 }' "$folder/site")" '
        $7 == query && $3 == "in" && ($4 == "start" || $4 == "end") {
            split($2, t, /[T:Z]/); at = (t[2] * 60 + t[3]) * 60 + t[4]
            if (n++ > 0) print n - 1 <= first ? "threshold" : "round", 1000 * (at - before)
            before = at
        }' "$folder/messages"
    sed -n 's/^ "rounds": \([0-9]*\).*/ran \1/p' "$folder/$1.json"
    sed -n 's/^ "elapsed_ms": \([0-9]*\).*/took \1/p' "$folder/$1.json"
}

middle() { sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

# of NAME KIND COLUMN: the median over all runs
of() { awk -v kind="$2" -v column="$3" '$1 == kind { print $column }' "$folder/$1.seen" | middle; }

# row WHAT DATASET PROCESSES VALUE UNIT COMPARED VALUE TARGET
row() { printf 'row\t%s\t%s\t2\t%s\t%s\t%s\t%s\t%s\t%s\n' "$@"; }

# in_turn STUDY: both sandboxes, one after the other
in_turn() {
    : >"$folder/agent.seen"
    : >"$folder/circle.seen"
    for run in $(seq 1 "$runs"); do
        for mode in agent circle; do ask $mode "$1" >>"$folder/$mode.seen"; done
    done
}

box agent open "$folder/esme.csv" "$here/endtoend/esme.dictionary.yaml" --split-by centre
box circle standard "$folder/esme.csv" "$here/endtoend/esme.dictionary.yaml" --split-by centre
in_turn "$here/endtoend/round.study.yaml"
what="18 sites, 22,000 patients, 4 coefficients"
row "a round of values in the circle" "$what" 148 "$(of circle round 2)" ms "agent mode" "$(of agent round 2)" 0
for way in 2 3; do
    word=$([ $way = 2 ] && echo sends || echo receives)
    row "a site $word in it" "$what" 148 "$(awk -v w=$way '$1 == "bytes" { print $w / $4 }' "$folder/circle.seen" | middle)" bytes "agent mode" \
        "$(awk -v w=$way '$1 == "bytes" { print $w / $4 }' "$folder/agent.seen" | middle)" 0
done
row "a threshold round" "$what" 148 "$(of circle threshold 2)" ms "a round of values" "$(of circle round 2)" 0
for mode in agent circle; do "$bin/maille" sandbox down --dir "$folder/box-$mode" >/dev/null; done

for sites in 6 18; do
    box agent open "$example/rotterdam.csv" "$example/dictionary.yaml" --sites $sites
    box circle standard "$example/rotterdam.csv" "$example/dictionary.yaml" --sites $sites
    in_turn "$example/study.yaml"
    what="examples/rotterdam/study.yaml, $sites sites"
    processes=$((8 * sites + 4))
    row "rounds in the circle" "$what" $processes "$(of circle ran 2)" rounds "agent mode" "$(of agent ran 2)" 0
    row "a site sends in all" "$what" $processes "$(of circle study 2)" bytes "agent mode" "$(of agent study 2)" 0
    row "a site receives in all" "$what" $processes "$(of circle study 3)" bytes "agent mode" "$(of agent study 3)" 0
    row "the study" "$what" $processes "$(of circle took 2)" ms "agent mode" "$(of agent took 2)" 0
    for mode in agent circle; do "$bin/maille" sandbox down --dir "$folder/box-$mode" >/dev/null; done
done
