#!/bin/sh
# Goal: patients come out of a real PostgreSQL, by a role that can only read; a password, a superuser, a role that may write and a bad
# query are refused. $1: the folder of the programs.
set -eu
worker=$1/maille-worker
server=/usr/lib/postgresql/15/bin
[ -x $server/initdb ] || { echo "expected PostgreSQL 15 (postgresql-15), found none"; exit 1; }
tmp=$(mktemp -d /tmp/maille-postgresql.XXXXXX)
chmod 755 "$tmp"
# initdb refuses root; the package brings a user of its own.
as=
if [ "$(id -u)" = 0 ]; then
    as="setpriv --reuid=postgres --regid=postgres --clear-groups"
    chown postgres "$tmp"
fi
stop() {
    $as $server/pg_ctl -D "$tmp/db" -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$tmp"
}
trap stop EXIT
trap 'exit 130' INT TERM
fail() {
    echo "FAILED: $*"
    cat "$tmp/said" 2>/dev/null || true
    exit 1
}
says() {
    wanted=$1 part=$2
    shift 2
    status=0
    "$@" >"$tmp/said" 2>&1 || status=$?
    [ "$status" = "$wanted" ] || fail "expected exit status $wanted, found $status: $*"
    grep -q -- "$part" "$tmp/said" || fail "expected \"$part\": $*"
}
echo owner-secret >"$tmp/password"
$as $server/initdb -D "$tmp/db" -N -A scram-sha-256 -U owner --pwfile="$tmp/password" >"$tmp/initdb" 2>&1 || { cat "$tmp/initdb"; exit 1; }
$as $server/pg_ctl -D "$tmp/db" -w -o "-F -k $tmp -c listen_addresses='' -c fsync=off" -l "$tmp/db/log" start >/dev/null || { cat "$tmp/db/log"; exit 1; }
printf '%s\n' '*:*:*:owner:owner-secret' '*:*:*:reader:reader-secret' '*:*:*:writer:writer-secret' >"$tmp/pgpass"
chmod 600 "$tmp/pgpass"
printf '[hospital]\nhost=%s\nuser=reader\ndbname=postgres\n' "$tmp" >"$tmp/services"
export PGPASSFILE="$tmp/pgpass" PGSERVICEFILE="$tmp/services"
psql -q -v ON_ERROR_STOP=1 -h "$tmp" -U owner -d postgres <<'SQL'
CREATE SCHEMA onco;
CREATE TABLE onco.tumour (patient text, age int, size numeric(6,1), her2 text, dead boolean, seen timestamp, note text);
INSERT INTO onco.tumour SELECT 'P' || lpad(i::text, 5, '0'), 40 + i % 40, CASE WHEN i % 7 = 0 THEN NULL ELSE (i % 900) / 10.0 END,
    CASE WHEN i % 2 = 0 THEN 'négatif' ELSE 'positif' END, i % 3 = 0, '2016-05-01'::date + i % 1000, 'a "quoted", note' || chr(10) || 'of two lines'
    FROM generate_series(1, 12001) i;
CREATE VIEW onco.export AS SELECT * FROM onco.tumour ORDER BY patient;
CREATE ROLE reader LOGIN PASSWORD 'reader-secret';
CREATE ROLE writer LOGIN PASSWORD 'writer-secret';
GRANT USAGE ON SCHEMA onco TO reader, writer;
GRANT SELECT ON onco.export TO reader;
GRANT SELECT, INSERT ON onco.tumour TO writer;
-- As OSIRIS-RWD has it.
CREATE SCHEMA osiris;
CREATE TABLE osiris.patient ("PatientId" text PRIMARY KEY, "PatientOriginCenterId" text);
CREATE TABLE osiris.consent ("PatientId" text, "Information" boolean, "NonOpposition" boolean, "NonOppositionDate" date);
CREATE TABLE osiris.death ("PatientId" text, "DeathStatus" boolean, "DeathStatusSource" text, "DeathStatusLastVisit" date, "DeathStatusLastContact" date);
CREATE TABLE osiris.metastasis ("PatientId" text, "MetastasisTopographyCode" text);
CREATE TABLE osiris.drug ("PatientId" text, "DrugCode" text, "DrugStart" date);
INSERT INTO osiris.patient VALUES ('A1', '750000001'), ('A2', '750000001'), ('A3', '750000001'), ('A4', '750000001');
INSERT INTO osiris.consent VALUES ('A1', true, true, NULL), ('A2', true, false, '2024-01-01'), ('A3', true, NULL, NULL), ('A4', true, true, NULL);
INSERT INTO osiris.death VALUES ('A1', true, 'RNIPP', NULL, '2020-01-01'), ('A4', false, NULL, '2021-06-01', NULL);
INSERT INTO osiris.metastasis VALUES ('A4', 'C41.9');
INSERT INTO osiris.drug VALUES ('A1', 'L02BG04', '2018-02-01'), ('A1', 'L01EF01', '2018-01-01');
-- As OMOP CDM 5.4 has it.
CREATE SCHEMA cdm;
CREATE TABLE cdm.person (person_id bigint, gender_concept_id int, year_of_birth int);
CREATE TABLE cdm.condition_occurrence (person_id bigint, condition_concept_id int, condition_start_date date);
CREATE TABLE cdm.observation_period (person_id bigint, observation_period_end_date date);
CREATE TABLE cdm.death (person_id bigint, death_date date);
INSERT INTO cdm.person VALUES (1, 8532, 1950), (2, 8507, 1960), (3, 8532, 1970);
INSERT INTO cdm.condition_occurrence VALUES (1, 4112853, '2012-03-01'), (1, 4112853, '2011-02-01'), (2, 4112853, '2015-01-01'), (3, 1, '2015-01-01');
INSERT INTO cdm.observation_period VALUES (1, '2019-01-01'), (2, '2020-01-01');
INSERT INTO cdm.death VALUES (1, '2018-05-05');
GRANT USAGE ON SCHEMA osiris, cdm TO reader;
GRANT SELECT ON ALL TABLES IN SCHEMA osiris, cdm TO reader;
SQL
cat >"$tmp/onco.yaml" <<'DICTIONARY'
dictionary: onco
version: 1
key: patient
rows: one
variables:
  - { name: age, type: integer, min: 0, max: 120 }
  - { name: size, type: real, min: 0, max: 300, resolution: 0.1 }
  - { name: her2, type: category, levels: [négatif, positif] }
  - { name: dead, type: boolean }
  - { name: seen, type: date, min: 2000-01-01, max: 2030-12-31 }
DICTIONARY
check() { "$worker" check --dictionary "$tmp/onco.yaml" "$@"; }
says 0 '12001 rows, 12001 patients' check --data postgresql:service=hospital --view onco.export
grep -q 'size .* 10287 *1714 ' "$tmp/said" || fail "expected 10287 sizes and 1714 without"
grep -q 'FALSE 8001, TRUE 4000' "$tmp/said" || fail "expected 4000 who died"
echo 'SELECT * FROM onco.export WHERE age >= 60;' >"$tmp/query.sql"
says 0 '6000 rows' check --data postgresql:service=hospital --query "$tmp/query.sql"
says 2 'expected --view NAME or --query FILE.sql' check --data postgresql:service=hospital
says 2 'expected no password in --data' check --data 'postgresql:service=hospital password=reader-secret' --view onco.export
says 2 'expected no password in --data' check --data 'postgresql://reader:reader-secret@localhost/postgres' --view onco.export
says 2 'found a superuser' check --data "postgresql:host=$tmp user=owner dbname=postgres" --view onco.export
says 2 'found one that may write' check --data "postgresql:host=$tmp user=writer dbname=postgres" --view onco.tumour
says 2 'permission denied' check --data postgresql:service=hospital --view onco.tumour
says 2 'run the query' check --data postgresql:service=hospital --view onco.nothing
says 2 'expected --view SCHEMA.NAME' check --data postgresql:service=hospital --view 'x; DROP TABLE y'
echo 'SELECT 1; SELECT 2' >"$tmp/two.sql"
says 2 'run the query' check --data postgresql:service=hospital --query "$tmp/two.sql"
says 2 'take the connection' check --data "postgresql:host=$tmp/nowhere user=reader dbname=postgres" --view onco.export

cat >"$tmp/osiris.yaml" <<'DICTIONARY'
dictionary: osiris
version: 1
key: patient
rows: one
variables:
  - { name: dead, type: boolean }
  - { name: last_news, type: date, min: 2000-01-01, max: 2030-12-31 }
  - { name: metastatic, type: boolean }
  - { name: first_drug, type: date, min: 2000-01-01, max: 2030-12-31 }
DICTIONARY
says 0 '2 rows, 2 patients' "$worker" check --dictionary "$tmp/osiris.yaml" --data postgresql:service=hospital --query examples/routes/osiris-rwd.sql
grep -q 'first_drug .* 1 *1 *0 *2018-01-01' "$tmp/said" || fail "expected the first of two drugs, and who opposes left out"
cat >"$tmp/omop.yaml" <<'DICTIONARY'
dictionary: omop
version: 1
key: patient
rows: one
variables:
  - { name: sex, type: category, levels: [F, M] }
  - { name: age, type: integer, min: 0, max: 120 }
  - { name: dead, type: boolean }
  - { name: diagnosis, type: date, min: 2000-01-01, max: 2030-12-31 }
  - { name: last_news, type: date, min: 2000-01-01, max: 2030-12-31 }
DICTIONARY
says 0 '2 rows, 2 patients' "$worker" check --dictionary "$tmp/omop.yaml" --data postgresql:service=hospital --query examples/routes/omop-5.4.sql
grep -q 'diagnosis .* 2011-02-01 ' "$tmp/said" || fail "expected the first diagnosis"
echo "a real $($server/postgres --version): all as expected"
