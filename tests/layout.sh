#!/bin/sh
# layout.may_include: every file includes only headers of its own room, of the rooms in its .may_include, of the C library and
# POSIX, and of the packages whose door the room is.
set -eu
cd "${1:-.}"
status=0
rooms=$(ls -d */.may_include | sed 's|/.may_include||')
packages=$(sed -n 's/^package //p' */.may_include | sort -u)
for room in $rooms; do
    may=" $room $(sed -n 's/^room //p' "$room/.may_include" | tr '\n' ' ')"
    doors=" $(sed -n 's/^package //p' "$room/.may_include" | tr '\n' ' ')"
    for file in "$room"/*.c "$room"/*.h; do
        [ -e "$file" ] || continue
        for header in $(sed -n 's/^#[[:space:]]*include[[:space:]]*"\([^"]*\)".*/\1/p' "$file"); do
            from=${header%%/*}
            case "$file:$header" in
            proto/*:*.pb-c.h) continue ;;
            *:*.pb-c.h) echo "$file includes $header: generated headers are read in proto/ alone"; status=1; continue ;;
            esac
            case "$may" in
            *" $from "*) ;;
            *) echo "$file includes \"$header\": $room/.may_include does not name the room $from"; status=1 ;;
            esac
        done
        for header in $(sed -n 's/^#[[:space:]]*include[[:space:]]*<\([^>]*\)>.*/\1/p' "$file"); do
            for package in $packages; do
                [ "$header" = "$package" ] || continue
                case "$doors" in
                *" $package "*) ;;
                *) echo "$file includes <$header>: $room is not the door of that package"; status=1 ;;
                esac
            done
        done
    done
done
# Every folder with C files of the programs is a room with a .may_include (tests and benchmarks look at all rooms).
for folder in $(ls -d */ | tr -d /); do
    case $folder in build|tests|bench) continue ;; esac
    if ls "$folder"/*.c >/dev/null 2>&1 && [ ! -e "$folder/.may_include" ]; then
        echo "$folder/ holds C files and has no .may_include"
        status=1
    fi
done
[ $status = 0 ] && echo "every include goes forward"
exit $status
