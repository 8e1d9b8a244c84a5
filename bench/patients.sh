# Sourced by parts: makes the patients of $rows in $folder unless they are there.
stamp="$folder/patients.$rows"
if [ ! -e "$stamp" ]; then
    rm -f "$folder"/patients.*
    "$bin/speed_dataset" "$folder" "$rows" || exit 1
    : >"$stamp"
fi
