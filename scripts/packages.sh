# Sourced by scripts/demo, scripts/test, scripts/release and docker/: installs the Debian packages that are missing, naming them first.

# What the three programs are built from.
build_packages="gcc libc6-dev cmake ninja-build pkg-config protobuf-compiler protobuf-c-compiler libprotobuf-c-dev libpq-dev libreadstat-dev \
libzmq3-dev libseccomp-dev libsodium-dev libmicrohttpd-dev libjs-codemirror libhdf5-dev liblz4-dev libsqlite3-dev libyaml-dev libjansson-dev librsvg2-dev r-mathlib libglpk-dev libcmocka-dev"

# packages_install PACKAGE…: apt-get install --no-install-recommends of those that are not there.
packages_install() {
    missing=
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    echo "installing with apt-get:$missing" >&2
    as_root=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || {
            echo "expected to be root or to have sudo, found neither; install by hand:$missing" >&2
            return 1
        }
        as_root=sudo
    fi
    packages_log=$(mktemp)
    # shellcheck disable=SC2086
    if ! { $as_root apt-get update && DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y --no-install-recommends $missing; } \
        >"$packages_log" 2>&1; then
        tail -n 20 "$packages_log" >&2
        echo "expected apt-get to install$missing, found the errors above" >&2
        rm -f "$packages_log"
        return 1
    fi
    rm -f "$packages_log"
}

# build_quietly PRESET [cmake --build options]: configures and builds; prints the log only when something fails.
build_quietly() {
    preset=$1
    shift
    build_log=$(mktemp)
    if ! { cmake --preset "$preset" && cmake --build --preset "$preset" "$@"; } >"$build_log" 2>&1; then
        grep -E 'error|warning|Error|FAILED|CMake' "$build_log" | head -n 60 >&2
        echo "the build \"$preset\" failed; all of it: $build_log" >&2
        return 1
    fi
    rm -f "$build_log"
}

# package_of FILE: the Debian package that has it; files of merged folders are known under one of two names.
package_of() { { dpkg -S "$1" || dpkg -S "/usr$1" || dpkg -S "${1#/usr}"; } 2>/dev/null | grep -v '^diversion' | head -n 1 | sed 's/[:,].*//'; }
