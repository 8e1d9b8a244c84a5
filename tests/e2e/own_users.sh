# Goal: where the supervisor is root and the four users are there, each process of a site is a user of its own, and everything works: a
# study, an import by root, a hold that the officer approves, a restart. Needs root and a mount namespace; elsewhere there is one user.
if [ "$(id -u)" != 0 ] || ! unshare --mount true 2>/dev/null; then
    echo "not root, or no mount namespace: nothing to try here"
    exit 0
fi
if [ -z "${MAILLE_OWN_USERS:-}" ]; then
    MAILLE_OWN_USERS=yes exec unshare --mount --propagation private sh "$0"
fi
. tests/e2e/lib.sh
{
    cat /etc/passwd
    echo 'maille-data:x:61001:61001::/nonexistent:/usr/sbin/nologin'
    echo 'maille-vault:x:61002:61002::/nonexistent:/usr/sbin/nologin'
    echo 'maille-step:x:61004:61004::/nonexistent:/usr/sbin/nologin'
    echo 'maille-net:x:61003:61003::/nonexistent:/usr/sbin/nologin'
} >"$tmp/passwd"
chmod 644 "$tmp/passwd"
mount --bind "$tmp/passwd" /etc/passwd
mount -t tmpfs -o mode=755 none /mnt
net=/mnt/net
ln -s /mnt/net "$tmp/net" # for the end of a test that fails
up --sites 3
study one 'sites: all' 'analyses:' '  - { id: age, method: describe, variables: [age] }'
ask "$tmp/one.yaml" >/dev/null
json 'a["age"]["n"] == 2982'
one=$net/sites/site-1
# The folder of a sandbox is its owner's: nobody else passes, so one user it is, until it is opened.
says 0 'a folder above the site' cat "$one/program.log"
chmod 711 "$net" "$net/sites"
"$maille" sandbox restart --dir "$net" site-1 >/dev/null
says 0 'a user of its own' cat "$one/program.log"
ask "$tmp/one.yaml" >/dev/null
json 'a["age"]["n"] == 2982'
child() { ps -o pid=,comm= --ppid "$(cat "$one/pid")" | awk -v name="maille-$1" '$2 == name { print $1 }'; }
uid() { awk '/^Uid:/ { print $2 $3 $4 $5 }' "/proc/$(child "$1")/status"; }
[ "$(uid data) $(uid step) $(uid vault) $(uid net)" = "61001610016100161001 61004610046100461004 61002610026100261002 61003610036100361003" ] ||
    fail "expected four users, found $(uid data) $(uid step) $(uid vault) $(uid net)"
[ "$(stat -c %u "$one/snapshots" "$one/log" "$one/state" "$one/spool" "$one/site.key" | tr '\n' ' ')" = "61001 61002 61002 61002 0 " ] ||
    fail "expected each folder with its process"
before=$(child data)
again() { [ -n "$(child data)" ] && [ "$(child data)" != "$before" ]; }
says 0 'snapshot 2' "$bin/maille-worker" import --dir "$one" --dictionary examples/rotterdam/dictionary.yaml --data "$one/data.csv" --public \
    --credential "$net/credential"
wait_for 10 again
ask "$tmp/one.yaml" >/dev/null
json 'a["age"]["n"] == 2982 and sorted(s["number"] for s in r["snapshots"]) == [1, 1, 2]'
"$maille" sandbox restart --dir "$net" site-1 >/dev/null
ask "$tmp/one.yaml" >/dev/null
json 'a["age"]["n"] == 2982'
"$maille" sandbox down --dir "$net" >/dev/null
done_well
