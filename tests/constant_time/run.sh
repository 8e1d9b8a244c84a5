#!/bin/sh
# Memcheck finds no branch and no address that depends on a secret, and finds those that were put there (constant_time.c).
#   tests/constant_time/run.sh PROGRAM
set -eu
cd "$(dirname "$0")"
if ! command -v valgrind >/dev/null; then
    echo "crypto.constant_time: expected valgrind, found none; install the package valgrind to run this test"
    exit 77
fi
watch() { valgrind --quiet --error-exitcode=9 --leak-check=no --suppressions=verdicts.supp "$@"; }
watch "$1"
for control in branch compare index; do
    status=0
    watch "$1" $control >/dev/null 2>&1 || status=$?
    [ $status = 9 ] || { echo "crypto.constant_time: expected memcheck to find the control \"$control\", found exit status $status" >&2; exit 1; }
done
