# Kernels over patients in memory. DuckDB: @duckdb/node-api, installed into the bench's own folder where npm can.
folder=$1 rows=$2 bin=$3
. bench/patients.sh
duckdb="$folder/duckdb.tsv"
if command -v node >/dev/null && command -v npm >/dev/null; then
    [ -e "$folder/node_modules/@duckdb" ] || npm install --silent --prefix "$folder" @duckdb/node-api >&2 || true
    cp bench/duckdb.mjs "$folder/duckdb.mjs"
    node "$folder/duckdb.mjs" "$folder/patients.csv" >"$duckdb" || rm -f "$duckdb"
fi
exec "$bin/speed_tally" "$folder" "$duckdb"
