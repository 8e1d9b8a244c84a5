# Goal: an older program refuses each file that a later one has written, with a sentence that names it, and changes nothing in it.
. tests/e2e/lib.sh
up --sites 3
one=$net/sites/site-1 hub=$net/coordinator
study one 'sites: all' 'analyses:' '  - { id: n, method: count }'
ask "$tmp/one.yaml" >/dev/null || fail "expected an answer"
"$maille" sandbox down --dir "$net" >/dev/null

# later FILE SENTENCE COMMAND…: with FILE (made later by standard input, a Python program over `path`) the command ends with 2 and the
# sentence, FILE stays as it is, and with the old one again everything is as before.
later() {
    file=$1 sentence=$2
    shift 2
    cp -p "$file" "$tmp/kept"
    python3 -c "
import re, sqlite3, struct, sys
path = sys.argv[1]
$(cat)" "$file"
    before=$(sha256sum <"$file")
    says 2 "$sentence" timeout 120 "$@"
    [ "$(sha256sum <"$file")" = "$before" ] || fail "expected $file to stay as it was"
    chmod u+w "$file"
    cp -p "$tmp/kept" "$file"
}
run_site='exec "$bin/maille-worker" serve --dir "$one" --credential "$net/credential"'
run_hub='exec "$bin/maille-coordinator" serve --dir "$hub" --network "$net/network.yaml" --credential "$net/credential"'
export bin one hub net

later "$one/state/format" 'state of a site in format 2, found a later one; a later maille-worker has run here: install that one again' \
    sh -c "$run_site" <<'PY'
open(path, "w").write("maille-state 3\n")
PY
later "$one/state/ledger" 'expected a ledger of version [0-9]* or before, found version 999; a later maille-worker has run here' sh -c "$run_site" <<'PY'
base = sqlite3.connect(path)
base.execute("PRAGMA user_version = 999")
base.commit()
base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
base.close()
PY
later "$one/log/messages.log" 'expected a log of maille, version 2, found something else; where a later program has written it' sh -c "$run_site" <<'PY'
text = open(path, "rb").read()
open(path, "wb").write(text.replace(b"maille-log 2 ", b"maille-log 3 ", 1))
PY
later "$hub/coordinator.db" 'database of version 1, found version 999; a later maille-coordinator has run here' sh -c "$run_hub" <<'PY'
base = sqlite3.connect(path)
base.execute("PRAGMA user_version = 999")
base.commit()
base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
base.close()
PY
later "$one/snapshots/rows" 'numbers of rows in format [0-9]*, found format 99; a later maille-worker has written it' "$bin/maille-worker" import \
    --dir "$one" --dictionary examples/rotterdam/dictionary.yaml --data "$one/data.csv" --credential "$net/credential" <<'PY'
data = bytearray(open(path, "rb").read())
data[12:16] = struct.pack("<I", 99)
open(path, "wb").write(data)
PY
later "$one/worker.yaml" 'worker.yaml' sh -c "$run_site" <<'PY'
open(path, "a").write("setting_of_a_later_version: 1\n")
PY

done_well
