# Goal: init, check and import say what is wrong and write nothing then; whatever dies is started again; files are read again when
# they change; wrong files stop nothing that runs; a stop leaves no process behind.
. tests/e2e/lib.sh
worker=$bin/maille-worker
dictionary=examples/rotterdam/dictionary.yaml
data=examples/rotterdam/rotterdam.csv
site=$tmp/alone

# answered COMMAND…: it ends well; what it says does not matter.
answered() {
    "$@" >"$tmp/said" 2>&1 || { cat "$tmp/said" >&2; fail "expected success: $*"; }
    checks=$((checks + 1))
}

# --- init, check, import ---
unset MAILLE_PASSPHRASE 2>/dev/null || true
says 2 'use --credential FILE or MAILLE_PASSPHRASE' "$worker" init --dir "$site" --name alone
says 2 'expected' "$worker" init --dir "$site" --name 'No Name' --credential "$tmp/credential"
[ ! -e "$site/site.key" ] || fail "a key without a site"
says 0 'role: site' "$worker" init --dir "$site" --name alone --credential "$tmp/credential" --legal-entity 'Centre "A"'
says 2 'expected a folder without a site' "$worker" init --dir "$site" --name alone --credential "$tmp/credential"
grep -q '^policy: strict' "$site/policy.yaml" || fail "expected the strict policy"
grep -q 'Centre \\"A\\"' "$site/worker.yaml" || fail "expected the legal entity"
[ "$(stat -c %a "$site/state")$(stat -c %a "$site/site.key")" = 700600 ] || fail "expected a private folder and key"

sed '5s/^\([^,]*\),[^,]*,/\1,abc,/' "$data" >"$tmp/bad.csv"
says 2 '5' "$worker" check --dictionary "$dictionary" --data "$tmp/bad.csv"
says 0 '2982' "$worker" check --dictionary "$dictionary" --data "$data"
says 2 '5' "$worker" import --dir "$site" --dictionary "$dictionary" --data "$tmp/bad.csv" --credential "$tmp/credential"
[ -z "$(ls "$site/snapshots")" ] || fail "a bad file left something in snapshots/"
says 2 'separator' "$worker" import --dir "$site" --dictionary "$dictionary" --data "$data" --separator x --credential "$tmp/credential"
says 0 'snapshot 1: 2982 rows' "$worker" import --dir "$site" --dictionary "$dictionary" --data "$data" --credential "$tmp/credential"
says 0 'snapshot 2' "$worker" import --dir "$site" --dictionary "$dictionary" --data "$data" --public --credential "$tmp/credential"
[ "$(grep -c '^[0-9]' "$site/snapshots/index")" = 2 ] || fail "expected two entries in the index"
says 0 'import' "$maille" audit show --anyway "$site/log"

# What is past the limits of worker.yaml is asked about; what the import says is in three more forms.
head -2001 "$data" >"$tmp/cut.csv"
says 2 '! rows: 2000, before 2982 (-32.9 %)' "$worker" import --dir "$site" --dictionary "$dictionary" --data "$tmp/cut.csv" --credential "$tmp/credential"
says 2 'found a header alone' "$worker" import --dir "$site" --dictionary "$dictionary" --data - --yes --credential "$tmp/credential" <<EMPTY
$(head -1 "$data")
EMPTY
says 0 'snapshot 3: 2000 rows' "$worker" import --dir "$site" --dictionary "$dictionary" --data "$tmp/cut.csv" --yes --credential "$tmp/credential"
says 0 'rows of snapshot 2' "$worker" snapshots rollback 2 --dir "$site" --credential "$tmp/credential"
says 0 '^4 .* 2982 .* newest' "$worker" snapshots list --dir "$site"
says 0 'snapshot 3 of ' "$worker" snapshots show 3 --dir "$site"
says 2 'from 1 to 4, found 9' "$worker" snapshots show 9 --dir "$site"
says 0 '3 superseded snapshots removed' "$worker" snapshots prune --dir "$site"
says 0 '^3 .* pruned' "$worker" snapshots list --dir "$site"
says 2 'expected snapshot 3 at' "$worker" snapshots rollback 3 --dir "$site" --credential "$tmp/credential"
says 2 '5' "$worker" check --dictionary "$dictionary" --data "$tmp/bad.csv" --json "$tmp/c.json" --csv "$tmp/c.csv" --report "$tmp/c.html"
grep -q '"sentence": ".*found \\"abc\\""' "$tmp/c.json" || fail "expected the finding in the JSON"
grep -q '^error,5,1,' "$tmp/c.csv" || fail "expected the finding in the CSV"
grep -q 'found &quot;abc&quot;' "$tmp/c.html" || fail "expected the finding on the page"
rm -r "$site"
says 0 'role: site' "$worker" init --dir "$site" --name alone --credential "$tmp/credential" --legal-entity 'Centre "A"'
says 0 'snapshot 1: 2982 rows' "$worker" import --dir "$site" --dictionary "$dictionary" --data "$data" --credential "$tmp/credential"
says 0 'snapshot 2' "$worker" import --dir "$site" --dictionary "$dictionary" --data "$data" --public --credential "$tmp/credential"

# Every import makes a snapshot, and every new snapshot ends what is open on those before it: its number and its being there say
# nothing of who objects.
grep -v '^17,' "$data" >"$tmp/without17.csv"
grep -v '^17,\|^18,' "$data" >"$tmp/without18.csv"
early() { "$worker" import --dir "$tmp/early" --credential "$tmp/early.credential" "$@"; }
answered "$worker" init --dir "$tmp/early" --name early --credential "$tmp/early.credential"
printf 'pseudonym,date,purposes\n17,2026-01-01,all\n' >"$tmp/17.csv"
printf 'pseudonym,date,purposes\n18,2026-01-01,all\n' >"$tmp/18.csv"
answered early --dictionary "$dictionary" --data "$data"
answered early --dictionary "$dictionary" --data "$tmp/without17.csv"
says 0 'snapshot 3: 2981 rows' early --objections "$tmp/17.csv"
says 0 'snapshot 4: 2981 rows' early --objections "$tmp/17.csv"
says 0 'snapshot 5: 2980 rows' early --dictionary "$dictionary" --data "$tmp/without18.csv" --objections "$tmp/18.csv"
answered early --monthly # there is one of this month
[ "$(grep -c '^[0-9]' "$tmp/early/snapshots/index")" = 5 ] || fail "expected five entries in the index"
sed -i 's/^\(5 .*\) 20..-..-/\1 2020-01-/' "$tmp/early/snapshots/index" # the newest is of another month
says 0 'snapshot 6: 2980 rows' early --monthly
answered early --monthly
[ "$(grep -c '^[0-9]' "$tmp/early/snapshots/index")" = 6 ] || fail "expected six entries in the index"
printf 'pseudonym,date,purposes\n"P\t19",2026-01-01,all\n18,2026-01-01,all\n' >"$tmp/tab.csv"
says 2 ':2: expected a key that can be seen and written on one line, found U+0009 in it' early --objections "$tmp/tab.csv"
head=$(head -n 1 "$tmp/tab.csv")
printf '%s\n\357\273\27718,2026-11-01,all\n' "$head" >"$tmp/mark.csv" # a byte order mark before a pseudonym: it must not miss its patient
says 2 ':2: expected a key that can be seen and written on one line, found U+FEFF in it' early --objections "$tmp/mark.csv"
sed 's/^19,/"P\t19",/' "$data" >"$tmp/tabbed.csv"
says 2 'found U+0009 in it' early --dictionary "$dictionary" --data "$tmp/tabbed.csv"

# --- objections: a file adds to those before it; what looks wrong is asked about, and changes nothing ---
import() { "$worker" import --dir "$site" --credential "$tmp/credential" "$@"; }
list() { printf 'pseudonym,date,purposes\n'; for line; do echo "$line"; done; }
list '2,2026-11-01,all' >"$tmp/first.csv"
list '11,01/11/2026,research' >"$tmp/second.csv"
says 0 'snapshot 3: 2981 rows' import --objections "$tmp/first.csv"
says 0 'holds for every purpose' import --objections "$tmp/second.csv"
says 0 'snapshot 5: 2980 rows' import --dictionary "$dictionary" --data "$data" --public
list >"$tmp/empty.csv"
says 2 'names nobody: the 2 objections before it stay' import --objections "$tmp/empty.csv"
list '0002,2026-11-01,all' '11,2026-11-01,all' >"$tmp/near.csv"
says 2 ':2: no patient is called 0002; did you mean 2' import --objections "$tmp/near.csv"
list '999999,2026-11-01,all' '11,2026-11-01,all' '13,2199-01-01,all' >"$tmp/unknown.csv"
says 0 ':2: no patient here is called 999999' import --objections "$tmp/unknown.csv"
list '11,2026-11-01,all' >"$tmp/short.csv"
says 2 'names 1 patients, the file before it named 3' import --objections "$tmp/short.csv"
says 2 'nobody objects as 0002; did you mean 2' import --withdraw "$tmp/near.csv"
objections() { "$worker" objections --dir "$site" --credential "$tmp/credential"; }
says 0 '^2 .* 2026-11-01 .* in force .* 1, 2$' objections
says 0 '^13 .* 2199-01-01 .* waits .* 1, 2, 3, 4, 5, 6$' objections
says 0 '^999999 .* nobody here .* none$' objections
says 0 'come back with the next import' import --withdraw "$tmp/first.csv"
says 0 'snapshot 8: 2981 rows.*1 patient who objects (2 objections in force' import --dictionary "$dictionary" --data "$data" --public
says 0 'snapshot 3, public, without 1 patient who objects' "$maille" audit show --anyway "$site/log"

# --- policy: a name that the dictionary has not denies nothing; a loosened preset is called one ---
printf 'policy: strict\nmin_cell: 5\nvariables: { deny: [PGR] }\n' >"$tmp/policy.yaml"
says 1 'found "PGR"; did you mean "pgr"' "$worker" policy check "$tmp/policy.yaml" --dictionary "$dictionary"
says 0 'policy strict, loosened: min_cell 5 (strict: 11)' "$worker" policy check "$tmp/policy.yaml"
says 0 'loosened: min_cell 5 (strict: 11)' "$worker" policy explain "$tmp/policy.yaml"
wrong() { # WORDS LINE…: what a policy of these lines is refused with
    words=$1
    shift
    printf '%s\n' 'policy: strict' "$@" >"$tmp/wrong.yaml"
    says 2 "$words" "$worker" policy check "$tmp/wrong.yaml"
}
wrong 'wrong.yaml:2:11: expected a method, found "kmm"; did you mean "km"?' 'methods: [kmm]'
wrong 'expected a method, found "coxx"; did you mean "cox"?' 'approval: { default: auto, methods: { coxx: hold } }'
wrong 'expected a known key, found `min_sells`; did you mean `min_cell`?' 'min_sells: 3'
wrong 'expected one of auto|hold for approval.default, found "hald"' 'approval: { default: hald }'
wrong 'expected one of day|week|month|quarter|year for finest_grid, found "mont"' 'finest_grid: mont'

# --- what a study's author writes cannot move the officer's cursor ---
printf 'study: spoof\ndictionary: rotterdam@1\ntitle: "x\\e[3F\\e[2Kresearcher: prof"\n' >"$tmp/spoof.yaml"
says 2 'spoof.yaml:3:8: expected characters that can be seen, found U+001B' "$maille" check "$tmp/spoof.yaml" \
    --dictionary "$dictionary"
says 2 'at x<U+001B>\[2Ky' "$worker" policy check "$(printf 'x\033[2Ky')"

# --- the ground: closed descriptors, a full disk behind standard output ---
says 1 'cannot be written' sh -c "'$maille' audit show --anyway '$site/log' >/dev/full"
status=0
"$worker" policy check examples/policies/none.yaml <&- >&- 2>&- || status=$?
[ "$status" = 2 ] || fail "expected exit status 2 with descriptors 0, 1 and 2 closed, found $status"

# --- a log from elsewhere: a FIFO does not hold the reader, and a link is not followed ---
mkdir "$tmp/fifo" "$tmp/linked"
mkfifo "$tmp/fifo/messages.log"
says 2 'found a link or something else' timeout 5 "$maille" audit show --anyway "$tmp/fifo"
ln -s "$site/log/messages.log" "$tmp/linked/messages.log"
says 2 'found a link or something else' timeout 5 "$maille" audit show --anyway "$tmp/linked"

qid=$(printf '%064d' 7)
ln -s /etc/passwd "$site/spool/$qid.pending" # as somebody who took the vault over could
says 2 'found a link or something else' "$worker" pending --dir "$site" 000
rm "$site/spool/$qid.pending"
mkfifo "$site/spool/$qid.pending"
says 2 'found a link or something else' timeout 5 "$worker" pending --dir "$site"
rm "$site/spool/$qid.pending"

# --- serve says what is missing ---
says 2 'signed directory' "$worker" serve --dir "$site" --credential "$tmp/credential"
says 2 'maille-worker init' "$worker" serve --dir "$tmp/nowhere" --credential "$tmp/credential"
says 0 'hello_every' "$worker" serve --help

# --- a running site ---
up --sites 3
cat >"$tmp/one.yaml" <<'STUDY'
study: one
dictionary: rotterdam@1
title: one
purpose: research-public-interest
legal_basis: MR-004
protocol: HDH-0000
expires: 2099-12-31
sites: all
analyses:
  - { id: age, method: describe, variables: [age] }
STUDY
answered ask "$tmp/one.yaml"
json 'a["age"]["n"] == 2982'
says 2 'HOME is not the path of a folder' env HOME= XDG_STATE_HOME= "$maille" resume abcd --network "$net/network.yaml" \
    --key "$net/researcher.key" --credential "$net/credential"
one=$net/sites/site-1
says 2 'log' "$worker" serve --dir "$one" --credential "$net/credential"
supervisor=$(cat "$one/pid")
child() { ps -o pid=,comm= --ppid "$supervisor" | awk -v name="maille-$1" '$2 == name { print $1 }'; }
running() { [ -n "$(child data)" ] && [ -n "$(child vault)" ] && [ -n "$(child net)" ]; }
another() { running && [ "$(child "$1")" != "$2" ]; }
wait_for 5 running
# Every process of the network that runs here has its walls.
says 0 'walls: seccomp' grep walls "$one/program.log" "$net/coordinator/program.log"
for process in "$supervisor" "$(child data)" "$(child vault)" "$(child net)" "$(cat "$net/coordinator/pid")"; do
    says 0 '^Seccomp:.2$' cat "/proc/$process/status"
    says 0 '^NoNewPrivs:.1$' cat "/proc/$process/status"
done
for name in data vault net; do
    before=$(child $name)
    kill -9 "$before"
    wait_for 10 another $name "$before"
    answered ask "$tmp/one.yaml"
    json 'a["age"]["n"] == 2982 and r["sites"] == 3'
done

# A policy with a mistake stops nothing; a good one holds after SIGHUP.
before=$(child vault)
printf 'policy: open\nmin_cel: 5\n' >"$one/policy.yaml"
kill -HUP "$supervisor"
wait_for 5 grep -q 'policy.yaml:2:1' "$one/program.log"
[ "$(child vault)" = "$before" ] || fail "a policy with a mistake was taken"
printf 'policy: open\nmethods: [count]\n' >"$one/policy.yaml"
kill -HUP "$supervisor"
wait_for 5 another vault "$before"
says 1 '' ask "$tmp/one.yaml"
json 'a["age"]["status"] == "refused" and a["age"]["rule"] == "methods"'
printf 'policy: open\n' >"$one/policy.yaml"
before=$(child vault)
kill -HUP "$supervisor"
wait_for 5 another vault "$before"

# A new snapshot is taken at once.
says 0 'snapshot 2' "$worker" import --dir "$one" --dictionary "$dictionary" --data "$one/data.csv" --public \
    --credential "$net/credential"
wait_for 5 grep -q 'new snapshot' "$one/program.log"
wait_for 5 running
answered ask "$tmp/one.yaml"
json 'sorted(s["number"] for s in r["snapshots"]) == [1, 1, 2]'

# A truncated snapshot: refused under the rule snapshot, and the site stays up.
vault=$(child vault)
truncate -s 1000 "$one/snapshots/snapshot-0002.h5"
says 1 'snapshot' ask "$tmp/one.yaml"
[ "$(child vault)" = "$vault" ] || fail "the vault ended"

# A supervisor that is killed takes its children along; a stop leaves nothing.
data_pid=$(child data)
kill -9 "$supervisor"
gone() { ! kill -0 "$1" 2>/dev/null; }
wait_for 5 gone "$data_pid"
two=$(cat "$net/sites/site-2/pid")
supervisor=$two
vault=$(child vault)
kill -TERM "$two"
wait_for 5 gone "$two"
gone "$vault" || fail "the vault outlived its supervisor"
done_well
