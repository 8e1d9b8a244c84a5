#!/bin/sh
# Tests of the Python package against the programs of a build, in folders with spaces.
#   clients/python/test.sh BIN FOLDER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
bin=$(cd "$1" && pwd)
rm -rf "$2"
mkdir -p "$2/the programs" "$2/tmp"
folder=$(cd "$2" && pwd)
cp "$bin/maille" "$bin/maille-worker" "$bin/maille-coordinator" "$folder/the programs/"
export MAILLE_PROGRAM="$folder/the programs/maille" LC_ALL=C.UTF-8 TMPDIR="$folder/tmp" XDG_STATE_HOME="$folder/state" PYTHONDONTWRITEBYTECODE=1 \
    MPLCONFIGDIR="$folder/matplotlib"
cd "$here"
/usr/bin/python3 -c 'import matplotlib, pandas' || { echo "expected the Debian packages python3-pandas and python3-matplotlib" >&2; exit 1; }
/usr/bin/python3 -W error::ResourceWarning -m unittest discover -q -t . -s tests 2>"$folder/test.log" || { cat "$folder/test.log"; exit 1; }
# nothing may be skipped where everything is installed
if grep -q skipped "$folder/test.log"; then cat "$folder/test.log"; exit 1; fi
tail -n 3 "$folder/test.log"
