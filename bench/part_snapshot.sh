# The same questions from the LZ4 snapshot, and the memory that reading it takes. The patients are part_tally's.
folder=$1 rows=$2 bin=$3
. bench/patients.sh
"$bin/speed_snapshot" "$folder" || exit 1
for setting in "0 2" "128 2" "128 8"; do
    # shellcheck disable=SC2086
    "$bin/speed_memory" "$folder" $setting || exit 1
done
