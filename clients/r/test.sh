#!/bin/sh
# Tests of the R package against the programs of a build.
#   clients/r/test.sh BIN FOLDER           installs it into FOLDER and runs tests/testthat
#   clients/r/test.sh BIN FOLDER --check   R CMD build and R CMD check --as-cran: minutes; a warning is a failure
set -eu
here=$(cd "$(dirname "$0")" && pwd)
bin=$(cd "$1" && pwd)
rm -rf "$2"
mkdir -p "$2/a library" "$2/the programs"
folder=$(cd "$2" && pwd)
# Paths with spaces, as people have them.
cp "$bin/maille" "$bin/maille-worker" "$bin/maille-coordinator" "$folder/the programs/"
export MAILLE_PROGRAM="$folder/the programs/maille" LC_ALL=C.UTF-8 TMPDIR="$folder" XDG_STATE_HOME="$folder/state" NOT_CRAN=true
Rscript -e 'p <- c("jsonlite", "processx", "survival", "ggplot2", "survminer", "broom", "testthat")
    p <- p[!nzchar(vapply(p, function(x) system.file(package = x), ""))]
    if (length(p) > 0) { message("expected the Debian packages ", paste0("r-cran-", p, collapse = " "), ", found none"); q(status = 1) }'

if [ "${3:-}" = --check ]; then
    cd "$folder"
    export _R_CHECK_FORCE_SUGGESTS_=false _R_CHECK_CRAN_INCOMING_=false
    R CMD build "$here" >build.log 2>&1 || { cat build.log; exit 1; }
    R CMD check --as-cran --no-manual maille_*.tar.gz >check.log 2>&1 || { cat check.log; exit 1; }
    tail -n 8 check.log
    grep -q '^Status: OK$\|^Status: [0-9]* NOTEs\{0,1\}$' check.log || { cat check.log; exit 1; }
    exit 0
fi

R CMD INSTALL --no-docs --no-test-load --library="$folder/a library" "$here" >"$folder/install.log" 2>&1 || { cat "$folder/install.log"; exit 1; }
R_LIBS="$folder/a library" Rscript -e '
    library(testthat)
    library(maille)
    results <- as.data.frame(test_dir(commandArgs(TRUE)[1], package = "maille", reporter = "summary", load_package = "installed", stop_on_failure = FALSE))
    skipped <- results[results$skipped, ]
    if (nrow(skipped) > 0) print(skipped[c("file", "test")])
    cat(sum(results$nb), "checks\n")
    # nothing may be skipped where everything is installed
    q(status = any(results$failed > 0) || any(results$error) || nrow(skipped) > 0)' "$here/tests/testthat" >"$folder/test.log" 2>&1 || { cat "$folder/test.log"; exit 1; }
tail -n 1 "$folder/test.log"
