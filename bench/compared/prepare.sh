#!/bin/sh
# Installs the peers of docs/COMPARED.md that run on one Debian 12 machine, from their public sources at fixed commits, into the R library LIB.
# Usage: prepare.sh LIB [BASE]; BASE: where the repositories are cloned from (https://github.com).
# None of them is in Debian; what they import and Debian has not either is dropped, which takes away functions that the comparison does not use.
set -eu
library=$1
base=${2:-https://github.com}
packages="git r-base-dev"
for name in rcpp rcpparmadillo rcppeigen httr rvest jsonlite data.table survival minqa glmnet mass numderiv metafor matrix ordinal plyr tidyr tibble dplyr rann stringr \
    lme4 reshape2 polycor mice fields ggplot2 gridextra r6 dbi progress cli futile.logger; do
    packages="$packages r-cran-$name"
done
for package in $packages; do
    dpkg -s "$package" >/dev/null 2>&1 || missing="${missing:-} $package"
done
if [ -n "${missing:-}" ]; then
    echo "expected these Debian packages, found them missing; install:$missing" >&2
    exit 2
fi
mkdir -p "$library"
sources=$(mktemp -d)
trap 'rm -rf "$sources"' EXIT

# take OWNER/NAME COMMIT [IMPORT to drop…]
take() {
    repository=$1 commit=$2 name=${1#*/}
    shift 2
    [ ! -d "$library/$name" ] || return 0
    git clone -q "$base/$repository" "$sources/$name"
    git -C "$sources/$name" checkout -q "$commit"
    python3 - "$sources/$name" "$@" <<'PY'
import glob, re, sys
folder, dropped = sys.argv[1], sys.argv[2:]
text = open(folder + "/DESCRIPTION", encoding="utf-8").read()
text = text.replace("R (>= 4.3)", "R (>= 4.2)") # Debian 12 has 4.2.2
def keep(field):
    names = [name.strip() for name in field.group(2).split(",")]
    kept = [name for name in names if name and re.split(r"[\s(]", name)[0] not in dropped]
    return field.group(1) + ", ".join(kept) + "\n"
text = re.sub(r"(?ms)^(Imports:|Depends:)(.*?)\n(?=\S)", lambda f: keep(f).replace(":", ": ", 1), text)
open(folder + "/DESCRIPTION", "w", encoding="utf-8").write(text)
space = open(folder + "/NAMESPACE", encoding="utf-8").read()
for name in dropped:
    space = re.sub(r"(?m)^import(?:From)?\(%s\b[^)]*\)\n" % re.escape(name), "", space)
open(folder + "/NAMESPACE", "w", encoding="utf-8").write(space)
for path in glob.glob(folder + "/R/*.R"):
    code = open(path, encoding="utf-8").read()
    for name in dropped:
        code = re.sub(r"(?m)^(\s*)(?:library|require)\(%s\)" % re.escape(name), r"\1invisible()", code)
    open(path, "w", encoding="utf-8").write(code)
PY
    R CMD INSTALL --no-docs --no-test-load --library="$library" "$sources/$name" >"$sources/$name.log" 2>&1 || {
        tail -n 20 "$sources/$name.log" >&2
        echo "expected $repository to install, found the errors above" >&2
        exit 1
    }
    echo "$repository $commit"
}
export R_LIBS="$library"
take systemincloud/rly 6c1e74bcedfa067f13c3d105cbf683ec44b37954
take datashield/DSI 61c027bcc78bd94406b5f396c0e3820efaf4a764
take datashield/DSLite 1247e5ace98873f3e34231efea6fd58255c8124a
take datashield/dsBase fd1149e711311146c2a9f41478070c6468081a74 gamlss gamlss.dist childsds
take datashield/dsBaseClient 8b9557f8f197bf7c969e8db5b1273361cbe54543 meta
take Penncil/pda ee90de152f6886bcba1404cce9cde11cb31f3777 cobalt EmpiricalCalibration geex data.tree
