# Goal: a site whose rows stay in a real PostgreSQL answers as it did from a file; a process `source` alone holds the connection; what
# is wrong (a stopped server, a slow statement, a changed table, a role with too many rights, a password in worker.yaml, rows that do
# not fit) is one sentence, and nothing wrong is answered.
. tests/e2e/lib.sh
. tests/registry/engine_servers.sh
ended() {
    status=$?
    engines_end
    (exit $status)
    down
}
trap ended EXIT
up --sites 3
study one 'analyses:' '  - { id: d, method: describe, variables: [age, pgr] }' '  - { id: km, method: km, formula: "Surv(dtime, death) ~ chemo" }' \
    '  - { id: cox, method: cox, formula: "Surv(dtime, death) ~ age + size" }'
ask "$tmp/one.yaml" >/dev/null
cp "$tmp/result.json" "$tmp/file.json"
# The numbers of the researcher's result, without when, where and from which files they came.
same() { python3 -c 'import json, sys; a, b = (json.dumps(json.load(open(f))["analyses"]) for f in sys.argv[1:]); sys.exit(a != b)' "$tmp/file.json" "$tmp/result.json"; }

one=$net/sites/site-1 dictionary=examples/rotterdam/dictionary.yaml
port=$(free_port)
engine_begin one "$port"
engine_services one "$port"
engine_roles | sql
python3 tests/registry/engine_load.py "$dictionary" "$one/data.csv" onco.patients | sql
sql -c "CREATE VIEW onco.export AS SELECT * FROM onco.patients"
sql -c "CREATE VIEW onco.bad AS SELECT pid, year, CASE WHEN age > 80 THEN 300 ELSE age END AS age, meno, CASE WHEN size = '>50' THEN 'huge' ELSE size END AS size, grade, nodes, pgr + 0.5 AS pgr, er, hormon, chemo, rtime, recur, dtime, death FROM onco.patients UNION ALL SELECT NULL, year, age, meno, size, grade, nodes, pgr, er, hormon, chemo, rtime, recur, dtime, death FROM onco.patients WHERE pid = '1'"

# --- settings ---
import() { "$bin/maille-worker" import --dir "$one" --credential "$net/credential" --dictionary "$dictionary" --public "$@"; }
relation() { import --data postgresql:service=registry_import --from-relation "$@"; }
serve() {
    "$bin/maille-worker" serve --dir "$one" --credential "$net/credential" >>"$one/program.log" 2>&1 &
    strays=$!
}
quit() {
    kill "$strays"
    wait "$strays" || true
    strays=
}
kill "$(cat "$one/pid")"
wait_for 20 sh -c "! kill -0 $(cat "$one/pid")"
says 2 'expected source: engine in worker.yaml' relation onco.export
settings() { printf 'source: engine\nsource_role: server\nlog_level: debug\n' >"$one/worker.yaml"; printf '%s\n' "$@" >>"$one/worker.yaml"; }
settings 'source_connection: "service=registry password=server-secret"'
says 2 'expected no password in worker.yaml (source_connection)' "$bin/maille-worker" serve --dir "$one" --credential "$net/credential"
settings "source_connection: \"host=$engines user=server\""
says 2 'expected one host that is reached by TCP' "$bin/maille-worker" serve --dir "$one" --credential "$net/credential"
settings 'source_connection: "host=192.0.2.1 user=server"' # a documentation address: nobody has it
says 2 'expected sslmode=verify-full (and sslrootcert) in worker.yaml' "$bin/maille-worker" serve --dir "$one" --credential "$net/credential"
settings 'source_driver: oracle'
says 2 'expected source_driver: postgresql' "$bin/maille-worker" serve --dir "$one" --credential "$net/credential"
settings 'source_connection: service=registry'
says 2 'expected snapshots of one kind' relation onco.export
rm -r "$one/snapshots"
mkdir -m 700 "$one/snapshots"

# --- import ---
says 2 'expected --from-relation SCHEMA.NAME' relation 'x; DROP TABLE y'
says 2 'know the relation' relation onco.nothing
says 2 'without --view' relation onco.export --view onco.export
says 2 'that fit the dictionary, found 1115 problems' relation onco.bad
grep -q 'age.*expected an integer from 0 to 120 in steps of 1, found another value' "$tmp/said" || fail "expected ages that do not fit"
grep -q 'size.*expected a level of the dictionary' "$tmp/said" && grep -q 'pgr.*in steps of 1' "$tmp/said" || fail "expected sizes and receptors that do not fit"
grep -q "expected the patient's key, found none" "$tmp/said" || fail "expected a patient without a key"
[ "$(sql -At -c "SELECT count(*) FROM pg_tables WHERE schemaname = 'maille'")" = 0 ] || fail "expected nothing written"
sql -c 'CREATE VIEW onco.twice AS SELECT *, age AS "Age" FROM onco.patients'
says 2 'that differ in more than case, found age and Age' relation onco.twice
for role in 'public|public is everybody' 'current_user|let source_role read the frozen table, found SQLSTATE 42704'; do
    settings 'source_connection: service=registry'
    sed -i "s/^source_role: .*/source_role: ${role%|*}/" "$one/worker.yaml"
    says 2 "${role#*|}" relation onco.export
done
settings 'source_connection: service=registry'
sql -c 'CREATE ROLE guest' -c 'ALTER DEFAULT PRIVILEGES FOR ROLE importer IN SCHEMA maille GRANT SELECT ON TABLES TO guest'
says 2 'found rights of other roles on tables of maille' relation onco.export
sql -c 'ALTER DEFAULT PRIVILEGES FOR ROLE importer IN SCHEMA maille REVOKE SELECT ON TABLES FROM guest'
sql -c "CREATE VIEW onco.broken AS SELECT pid, year, ('secret-' || age)::integer AS age, meno, size, grade, nodes, pgr, er, hormon, chemo, rtime, recur, dtime, death FROM onco.patients"
says 2 'copy the relation, found SQLSTATE 22P02 (a value of another kind)' relation onco.broken
! grep -q 'secret-' "$tmp/said" || fail "a value in an error"
says 0 'snapshot 1: 994 rows of 994 patients' relation onco.export
says 0 'import' "$maille" audit show --anyway "$one/log"
says 0 '^age  *994  *0 ' env LANG=C "$bin/maille-worker" snapshots show 1 --dir "$one"
[ "$(sql -At -c "SELECT count(*) FROM maille.snapshot_0001 WHERE row_id <> ((position + 1)::bigint << 32 | position + 1)")" = 0 ] ||
    fail "expected the numbers of an import of the same rows as a file"
says 1 'permission denied' psql -h 127.0.0.1 -p "$port" -U server -d postgres -v ON_ERROR_STOP=1 -c 'SELECT * FROM maille.patient_numbers'

# --- the same answer, and walls ---
serve
serves() { [ "$("$bin/maille-worker" status --dir "$one" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["figures"]["processes"])')" = 5 ]; }
wait_for 30 serves
answers() { ask "$tmp/one.yaml" >/dev/null 2>&1 && same; }
wait_for 30 answers
source=$(pgrep -P "$strays" -x maille-source) && data=$(pgrep -P "$strays" -x maille-data) || fail "expected the processes source and data"
sockets() { ls -l "/proc/$1/fd" | grep -o 'socket:\[[0-9]*' | tr -dc '0-9\n' | while read -r inode; do grep -c " $inode " "/proc/$1/net/tcp" || true; done | grep -c 1 || true; }
[ "$(sockets "$source")" = 1 ] && [ "$(sockets "$data")" = 0 ] || fail "expected one connection, of source alone"
[ -z "$(ls -l "/proc/$source/fd" | grep "$one" | grep -v program.log || true)" ] || fail "expected no file of the site in source"
[ "$(grep -c '^Seccomp:.*2' "/proc/$source/status")" = 1 ] || fail "expected walls around source"
grep -q 'statement: SELECT .* FROM maille.snapshot_0001 WHERE position >= 0' "$one/program.log" || fail "expected each statement in the log"
seed=$(python3 -c 'import struct, sys; print(struct.unpack("<q", bytes.fromhex(sys.argv[1]))[0])' "$(sed -n 's/^salt //p' "$one/snapshots/snapshot-0001.engine" | cut -c1-16)")
grep -q 'statement: SELECT count.*hashint8extended' "$one/program.log" && ! grep -q -- "$seed" "$one/program.log" || fail "expected the checksum's statement without its seeds"
! grep -q 'server-secret' "$one/program.log" || fail "a password in the log"

# --- what goes wrong ---
refused() { ask "$tmp/one.yaml" >/dev/null 2>&1 && return 1; grep -q "$1" "$one/program.log"; }
quit
engine_stop one
serve # what was fetched is answered from memory: a new process has nothing
wait_for 60 refused 'expected PostgreSQL to take the connection'
engine_begin one "$port"
wait_for 60 answers
sql -c 'SET ROLE importer; GRANT UPDATE ON maille.snapshot_0001 TO importer; UPDATE maille.snapshot_0001 SET c1 = c1 + 1 WHERE position = 7'
quit
serve
wait_for 60 refused 'expected count and checksum of snapshot 1 in the engine as they were frozen, found others'
sql -c 'SET ROLE importer; UPDATE maille.snapshot_0001 SET c1 = c1 - 1 WHERE position = 7'
# Patients, and both halves of row_id (which an engine's hash folds to 0 where they are equal).
for column in patient row_id; do
    [ $column = patient ] && by=1 || by=4294967297
    sql -c "SET ROLE importer; UPDATE maille.snapshot_0001 SET $column = $column + $by WHERE position = 7"
    says 2 'expected count and checksum of snapshot 1' env LANG=C "$bin/maille-worker" snapshots show 1 --dir "$one"
    sql -c "SET ROLE importer; UPDATE maille.snapshot_0001 SET $column = $column - $by WHERE position = 7"
done
sql -c 'SET ROLE importer; REVOKE UPDATE ON maille.snapshot_0001 FROM importer'
wait_for 60 answers
quit
sql -c "CREATE FUNCTION public.slow() RETURNS boolean LANGUAGE sql AS 'SELECT pg_sleep(60) IS NOT NULL'" \
    -c 'ALTER TABLE maille.snapshot_0001 ENABLE ROW LEVEL SECURITY' -c 'CREATE POLICY slow ON maille.snapshot_0001 USING (position <> 0 OR public.slow())'
settings 'source_connection: service=registry' 'source_timeout: 1'
serve
wait_for 60 refused 'within the time of source_timeout'
quit
settings 'source_connection: service=registry'
serve
ask "$tmp/one.yaml" >/dev/null 2>&1 &
asked=$!
sleeps() { [ "$(sql -At -c "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")" = 1 ]; }
wait_for 60 sleeps
engine_stop one
wait_for 30 grep -q 'found that the server stopped or hung up\|expected PostgreSQL to take the connection, found: .*refused' "$one/program.log"
wait "$asked" && fail "expected no answer without a server"
engine_begin one "$port"
quit
sql -c 'DROP POLICY slow ON maille.snapshot_0001' -c 'ALTER TABLE maille.snapshot_0001 DISABLE ROW LEVEL SECURITY'

# --- objections, and the next table ---
printf 'pseudonym,date,purposes\n%s,2026-01-01,all\n' "$(sed -n 2p "$one/data.csv" | cut -d, -f1 | tr -d '"')" >"$tmp/objections.csv"
says 2 'expected --from-relation' "$bin/maille-worker" import --dir "$one" --credential "$net/credential" --objections "$tmp/objections.csv"
says 0 'snapshot 2: 993 rows.* without 1 patient who objects' relation onco.export --objections "$tmp/objections.csv"
says 0 ' in force .* 1$' "$bin/maille-worker" objections --dir "$one" --credential "$net/credential" --lang en
mv "$one/snapshots/objections" "$tmp/objections.sealed"
says 2 'expected the names of 1 patients who object in .*, found 0' relation onco.export
mv "$tmp/objections.sealed" "$one/snapshots/objections"
[ "$(sql -At -c 'SELECT count(*) FROM maille.snapshot_0002 b JOIN maille.snapshot_0001 a USING (row_id)')" = 993 ] || fail "expected numbers that stay"

# --- another folder in the same schema ---
"$bin/maille-worker" init --dir "$tmp/other" --name other --credential "$tmp/other.credential" >/dev/null 2>&1
cp "$one/worker.yaml" "$tmp/other/worker.yaml"
says 2 'found that it holds those of another folder' "$bin/maille-worker" import --dir "$tmp/other" --credential "$tmp/other.credential" \
    --dictionary "$dictionary" --public --data postgresql:service=registry_import --from-relation onco.export
[ "$(sql -At -c 'SELECT count(*) FROM maille.snapshot_0001')" = 994 ] || fail "expected the table of the first folder"

# --- a role with too many rights ---
for right in 'GRANT INSERT ON maille.snapshot_0002 TO server|write a table|REVOKE INSERT ON maille.snapshot_0002 FROM server' \
    'GRANT SELECT ON maille.patient_numbers TO server|read other tables|REVOKE SELECT ON maille.patient_numbers FROM server' \
    'GRANT importer TO server|a member of another role|REVOKE importer FROM server' \
    'GRANT importer TO server; ALTER ROLE server SET role TO importer|one that took another role|REVOKE importer FROM server; ALTER ROLE server RESET role' \
    'GRANT CREATE ON DATABASE postgres TO server|create schemas|REVOKE CREATE ON DATABASE postgres FROM server' \
    'GRANT CREATE ON SCHEMA maille TO server|create tables|REVOKE CREATE ON SCHEMA maille FROM server' \
    'ALTER ROLE server SUPERUSER|a superuser|ALTER ROLE server NOSUPERUSER' \
    'REVOKE ALL ON maille.snapshot_0002 FROM server; ALTER TABLE maille.snapshot_0002 OWNER TO server; REVOKE ALL ON maille.snapshot_0002 FROM server|the owner of a table|SELECT'; do
    words=${right#*|}
    sql -c "${right%%|*}"
    says 2 "expected a role that can read the frozen tables of the schema maille and do nothing else, found .*${words%%|*}" \
        timeout 60 "$bin/maille-worker" serve --dir "$one" --credential "$net/credential"
    sql -c "${right##*|}"
done
done_well
