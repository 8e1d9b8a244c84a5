# Whole questions: `maille sandbox run` from its start to its result, the sandbox being up: every process on this machine, real keys, CURVE
# sockets, logs on disk. Five runs each, medians. R fits the same model on the pooled data in between, one fit after each run of ours, so both
# see the same machine; reading its data is not counted. The coefficients must agree to 1e-9. Data: bench/endtoend_data.c, dictionaries and
# studies in bench/endtoend/; they and the sandboxes stay in the folder. 10,000,000 patients take about 300 MB there.
#   part_endtoend.sh FOLDER ROWS PROGRAMS      (ROWS is of other parts)
set -eu
folder=$1/endtoend bin=$(cd "$3" && pwd) here=$(cd "$(dirname "$0")/endtoend" && pwd)
mkdir -p "$folder"
cc -O2 -o "$folder/data" "$here/../endtoend_data.c" -lm
cc -O2 -o "$folder/signatures" "$here/../endtoend_signatures.c" -lsodium
trap 'for box in model esme curve; do "$bin/maille" sandbox down --dir "$folder/$box" >/dev/null 2>&1 || true; done' EXIT

# box KIND ROWS how to split: the data and a sandbox that is up
box() {
    kind=$1 rows=$2
    shift 2
    [ -e "$folder/$kind.csv" ] || { "$folder/data" "$kind" "$rows" >"$folder/$kind.new" && mv "$folder/$kind.new" "$folder/$kind.csv"; }
    "$bin/maille" sandbox down --dir "$folder/$kind" >/dev/null 2>&1 || true
    rm -rf "${folder:?}/$kind"
    start=$(date +%s.%N)
    "$bin/maille" sandbox up --dir "$folder/$kind" --data "$folder/$kind.csv" --dictionary "$here/$kind.dictionary.yaml" "$@" >/dev/null
    echo "sandbox up, $rows rows ($kind): $(echo "$(date +%s.%N) - $start" | bc) s"
}

# one KIND STUDY RESULT: seconds of one run
one() {
    start=$(date +%s%N)
    "$bin/maille" sandbox run --dir "$folder/$1" "$here/$2.study.yaml" --json "$3" >/dev/null
    echo "$start $(date +%s%N)" | awk '{ printf "%.4f\n", ($2 - $1) / 1e9 }'
}

middle() { sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

# row WHAT DATASET PROCESSES VALUE UNIT COMPARED VALUE TARGET
row() { printf 'row\t%s\t%s\t2\t%s\t%s\t%s\t%s\t%s\t%s\n' "$@"; }

limit() { # STUDY KIND WHAT DATASET PROCESSES SECONDS
    one "$2" "$1" "$folder/$1.json" >/dev/null
    for run in 1 2 3 4 5; do one "$2" "$1" "$folder/$1.json"; done >"$folder/$1.seconds"
    row "$3" "$4" "$5" "$(middle <"$folder/$1.seconds")" s "the limit" "$6" 1
}

box model 1000000 --split-by centre
if command -v Rscript >/dev/null; then
    one model logistic "$folder/logistic.json" >/dev/null
    one model cox "$folder/cox.json" >/dev/null
    Rscript "$here/peers.R" "$folder" "$bin/maille" "$here" >"$folder/peers.tsv"
    while read -r study peer ours theirs; do
        case $study in
        logistic) row "logistic, 10 covariates" "1,000,000 patients, 10 sites" 42 "$ours" s "$peer" "$theirs" 4 ;;
        cox) row "Cox, Efron, 10 covariates, grid of days" "1,000,000 patients, 10 sites" 42 "$ours" s "$peer" "$theirs" 5 ;;
        *) echo "$study $peer $ours $theirs" ;;
        esac
    done <"$folder/peers.tsv"
fi
"$bin/maille" sandbox down --dir "$folder/model" >/dev/null

box esme 22000 --split-by centre
limit esme esme "Cox, Efron, 20 covariates, grid of months" "22,000 patients, 18 sites" 74 1
# Rounds: from one start at the coordinator to the next, by its log. The question has seven, all small.
: >"$folder/rounds"
for run in 1 2 3 4 5; do
    one esme round "$folder/round.json" >/dev/null
    "$bin/maille" audit show --messages "$folder/esme/coordinator/log" --network "$folder/esme/network.yaml" >"$folder/messages"
    awk '$3 == "in" && ($4 == "start" || $4 == "end") {
             split($2, t, /[T:Z]/); at = (t[2] * 60 + t[3]) * 60 + t[4]
             if ($7 == query && at > before) print 1000 * (at - before)
             query = $7; before = at
         }' "$folder/messages" | tail -n 7 >>"$folder/rounds"
done
row "one round of an open question" "18 sites, 4 coefficients" 74 "$(middle <"$folder/rounds")" ms "the limit" 40 1
row "the same" "18 sites, 4 coefficients" 74 "$(middle <"$folder/rounds")" ms "its signatures alone" "$("$folder/signatures" 18 2)" 0
"$bin/maille" sandbox down --dir "$folder/esme" >/dev/null

box curve 10000000 --split-by centre
limit curve curve "Kaplan-Meier and log-rank, 4 groups, grid of months" "10,000,000 patients, 18 sites" 74 1
limit curveday curve "Kaplan-Meier and log-rank, 4 groups, grid of days" "10,000,000 patients, 18 sites" 74 1
[ ! -e "$here/curves.R" ] || ! command -v Rscript >/dev/null || Rscript "$here/curves.R" "$folder"
"$bin/maille" sandbox down --dir "$folder/curve" >/dev/null
