# Sourced by the tests of engines: real servers of PostgreSQL 15 on loopback, which end with the test. tmp: the test's folder.
server=/usr/lib/postgresql/15/bin
[ -x $server/initdb ] || { echo "expected PostgreSQL 15 (postgresql-15), found none"; exit 1; }
engines=$(mktemp -d /tmp/maille-engine.XXXXXX)
chmod 755 "$engines"
# initdb refuses root; the package brings a user of its own.
as=
if [ "$(id -u)" = 0 ]; then
    as="setpriv --reuid=postgres --regid=postgres --clear-groups"
    chown postgres "$engines"
fi
engines_end() {
    for folder in "$engines"/db*; do
        [ ! -d "$folder" ] || $as $server/pg_ctl -D "$folder" -m immediate stop >/dev/null 2>&1 || true
    done
    rm -rf "$engines"
}
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# engine_begin NAME PORT: a server whose superuser is `owner`, by the socket in $engines and by TCP.
engine_begin() {
    echo owner-secret >"$engines/password"
    [ -d "$engines/db$1" ] || $as $server/initdb -D "$engines/db$1" -N -E UTF8 --locale=C -A scram-sha-256 -U owner --pwfile="$engines/password" >"$engines/initdb" 2>&1 || { cat "$engines/initdb"; exit 1; }
    $as $server/pg_ctl -D "$engines/db$1" -w -o "-F -p $2 -k $engines -c listen_addresses=127.0.0.1 -c fsync=off" -l "$engines/db$1/log" start >/dev/null || { cat "$engines/db$1/log"; exit 1; }
}
engine_stop() { $as $server/pg_ctl -D "$engines/db$1" -m immediate -w stop >/dev/null 2>&1; }

# Whoever imports owns the schema maille; whoever serves may use it.
engine_roles() {
    cat <<'SQL'
CREATE ROLE importer LOGIN PASSWORD 'importer-secret';
CREATE ROLE server LOGIN PASSWORD 'server-secret';
CREATE SCHEMA maille AUTHORIZATION importer;
CREATE SCHEMA onco;
GRANT USAGE ON SCHEMA onco TO importer;
ALTER DEFAULT PRIVILEGES IN SCHEMA onco GRANT SELECT ON TABLES TO importer;
SQL
    printf 'GRANT USAGE ON SCHEMA maille TO server;\n'
}

# engine_services NAME PORT: services registry (who serves) and registry_import.
engine_services() {
    printf '*:*:*:owner:owner-secret\n*:*:*:importer:importer-secret\n*:*:*:server:server-secret\n' >"$engines/pgpass"
    chmod 600 "$engines/pgpass"
    for role in registry:server registry_import:importer; do
        printf '[%s]\nhost=127.0.0.1\nport=%s\nuser=%s\ndbname=postgres\n' "${role%:*}" "$2" "${role#*:}"
    done >"$engines/services"
    export PGPASSFILE="$engines/pgpass" PGSERVICEFILE="$engines/services"
}
sql() { psql -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$port" -U owner -d postgres "$@"; }
