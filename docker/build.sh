#!/bin/sh
# Builds the images maille, maille-worker and maille-coordinator.
#   docker/build.sh [IMAGE[@sha256:DIGEST]]      IMAGE: a Debian 12 to build in (debian:bookworm-slim); with a digest, that one and no other
set -eu
cd "$(dirname "$0")/.."
. docker/engine.sh
base=${1:-debian:bookworm-slim}
named=${base%@*} wanted=
case $base in *@*) # a tag beside a digest says nothing more, and not every engine takes both
    wanted=${base#*@}
    case ${named##*/} in *:*) base=${named%:*}@$wanted ;; esac
    ;;
esac
digests() { $engine image inspect --format '{{range .RepoDigests}}{{.}} {{end}}' "$1" 2>/dev/null; }
$engine image inspect "$base" >/dev/null 2>&1 || $engine pull "$base" >/dev/null 2>&1 || {
    found=$(digests "$named" || true)
    echo "expected the image $base, found ${found:-none}; without a registry: docker/base-image.sh makes one" >&2
    exit 1
}
# The engine has looked the image up by its digest; here it is compared once more with what will be built on.
digest=$(digests "$base" | tr ' ' '\n' | sed -n 's/.*@//p' | { if [ -n "$wanted" ]; then grep -x "$wanted"; else head -n 1; fi; } || true)
[ -z "$wanted" ] || [ "$digest" = "$wanted" ] || {
    echo "expected $base, found an image with $(digests "$base")" >&2
    exit 1
}
version=$(sed -n 's/^project(maille VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
mkdir -p build # logs; a fresh clone has none
for program in maille maille-worker maille-coordinator; do
    echo "image $program" >&2
    build --build-arg BASE="$base" --build-arg BASE_DIGEST="${digest:-unknown}" --build-arg VERSION="$version" --build-arg REVISION="$revision" \
        --target $program -t $program -f docker/Dockerfile . >build/image-$program.log 2>&1 || {
        tail -n 30 build/image-$program.log >&2
        exit 1
    }
done
