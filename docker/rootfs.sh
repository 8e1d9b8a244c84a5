#!/bin/sh
# The files that a program needs to run and nothing else: itself, the libraries it links (found by ldd), the user 10001, /data, and a list of
# the Debian packages that these files are of (SBOM, CycloneDX 1.5).
#   docker/rootfs.sh OUT PROGRAM [LIBRARY|PROGRAM…]      LIBRARY: one that PROGRAM opens when it needs it, by its name for the loader;
#                                                        a further PROGRAM has a / in it: one that the first starts
set -eu
here=$(dirname "$0")
. "$here/../scripts/packages.sh"
out=$1 program=$2
shift 2
name=$(basename "$program")
mkdir -p "$out/usr/bin" "$out/usr/lib" "$out/usr/lib64" "$out/usr/share/maille" "$out/etc" "$out/data" "$out/tmp" "$out/run"
ln -s usr/bin "$out/bin"
ln -s usr/lib "$out/lib"
ln -s usr/lib64 "$out/lib64"
chmod 1777 "$out/tmp"
install -m 755 "$program" "$out/usr/bin/$name"
printf 'root:x:0:0::/:/usr/sbin/nologin\nmaille:x:10001:10001::/data:/usr/sbin/nologin\n' >"$out/etc/passwd"
printf 'root:x:0:\nmaille:x:10001:\n' >"$out/etc/group"
printf 'hosts: files dns\n' >"$out/etc/nsswitch.conf"
chown 10001:10001 "$out/data"

# What the loader would open, by the names under which it looks.
opened=$program
embedded=
for library in "$@"; do
    case $library in */*)
        install -m 755 "$library" "$out/usr/bin/"
        opened="$opened $library"
        [ "${library##*/}" != maille-web ] || embedded=libjs-codemirror # its editor is inside the program (web/assets.c)
        continue
        ;;
    esac
    found=$(ldconfig -p | awk -v name="$library" '$1 == name { print $NF; exit }')
    [ -n "$found" ] || { echo "expected $library on this machine, found none" >&2; exit 1; }
    opened="$opened $found"
done
# shellcheck disable=SC2086
files=$({ for file in $opened; do ldd "$file"; done; printf '%s\n' $opened | grep '\.so' || :; } |
    awk '/not found/ { print "expected the library " $1 ", found none" > "/dev/stderr"; exit 1 }
         /=> \// { print $3; next } $1 ~ /^\// && $1 !~ /:$/ { print $1 }' | sort -u)
for file in $files; do
    install -D "$file" "$out/usr/${file#/usr/}" 2>/dev/null || install -D "$file" "$out/usr$file"
done
case " $files" in *libfontconfig.so*) # letters of a PDF
    mkdir -p "$out/usr/share/fonts/truetype" "$out/etc/fonts/conf.d"
    cp -a /usr/share/fonts/truetype/dejavu "$out/usr/share/fonts/truetype/"
    cp -aL /etc/fonts/fonts.conf "$out/etc/fonts/"
    files="$files /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf /etc/fonts/fonts.conf"
    ;;
esac

# Their packages.
for file in $files; do
    package=$(package_of "$file")
    [ -n "$package" ] || { echo "expected a package that has $file, found none" >&2; exit 1; }
    echo "$package"
done | { cat; [ -z "$embedded" ] || echo "$embedded"; } | sort -u >"$out/usr/share/maille/packages"
# Their licences come with them.
while read -r package; do
    install -D -m 644 "/usr/share/doc/$package/copyright" "$out/usr/share/doc/$package/copyright"
done <"$out/usr/share/maille/packages"
sh "$here/sbom.sh" "$program" "$out/usr/share/maille/packages" >"$out/usr/share/maille/$name.cdx.json"
