#!/bin/sh
# Goal: a registry that stays in a real PostgreSQL gives the result files of a snapshot of the same rows, byte for byte.
# engine.sh FEDERATE WORKER PYTHON DATA.NAME…
set -eu
federate=$1 worker=$2 python=$3
shift 3
tmp=${MAILLE_TEST_TMP:-/tmp}
mkdir -p "$tmp"
. tests/registry/engine_servers.sh
trap engines_end EXIT
trap 'exit 130' INT TERM
port=$(free_port)
engine_begin one "$port"
engine_services one "$port"
{ engine_roles; } | sql
export MAILLE_TEST_ENGINE="service=registry"

# frozen DATA: its rows in the engine; $tmp/DATA is a site of its own. Numbers of tables are the sites' own: one after the other.
frozen() {
    [ ! -d "$tmp/$1" ] || return 0
    table=tests/vectors/$1.csv
    dictionary=tests/vectors/$1.dictionary.yaml
    [ -f "$table" ] || table=examples/$1/$1.csv dictionary=examples/$1/dictionary.yaml
    "$python" tests/registry/engine_load.py "$dictionary" "$table" "onco.$1" | sql
    "$worker" init --dir "$tmp/$1" --name "site" --credential "$tmp/$1.credential" >/dev/null 2>&1
    printf 'source: engine\nsource_connection: service=registry\nsource_role: server\n' >"$tmp/$1/worker.yaml"
    sql -c 'SET client_min_messages TO error; DROP SCHEMA maille CASCADE; CREATE SCHEMA maille AUTHORIZATION importer; GRANT USAGE ON SCHEMA maille TO server'
    "$worker" import --dir "$tmp/$1" --credential "$tmp/$1.credential" --dictionary "$dictionary" \
        --data postgresql:service=registry_import --from-relation "onco.$1" --yes >"$tmp/$1.said" 2>&1 || { cat "$tmp/$1.said"; exit 1; }
}
run() { "$federate" "$2" "$study" "$3" "$4" "$tmp/$1.json" "$5" 2>"$tmp/$1.said" || { cat "$tmp/$1.said"; exit 1; }; }
rm -rf "$tmp"/*
compared=0
for vector; do
    data=${vector%%.*}
    study=tests/vectors/$vector.study.yaml
    [ -f "$study" ] || study=examples/$data/${vector#*.}.yaml
    frozen "$data"
    run file "$data" 3 2 2
    run engine "$data=$tmp/$data/snapshots/snapshot-0001.engine" 3 2 2
    cmp "$tmp/file.json" "$tmp/engine.json" || { echo "$vector: expected the bytes of the file, found others"; exit 1; }
    compared=$((compared + 1))
done
echo "$compared studies: the same bytes from a file and from PostgreSQL"
