# Goal: where the supervisor is root and the four users are there, each process of a site is a user of its own, and everything works: a
# study, an import by root, a hold that the officer approves from an account of hers, a restart. Needs root and a mount namespace; elsewhere there is one user.
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
# The officer's account is in the group that spool/ is shared with: it reads what waits and decides, and reaches nothing else.
cp "$bin/maille-worker" /mnt/worker
cp "$one/dpo.key" "$net/credential" /mnt
chown 61005 /mnt/dpo.key /mnt/credential
chmod 755 /mnt/worker
printf 'policy: open\napproval: { default: hold }\n' >"$one/policy.yaml"
echo 'spool_group: users' >>"$one/worker.yaml"
"$maille" sandbox restart --dir "$net" site-1 >/dev/null
as_officer() { setpriv --reuid=61005 --regid=61005 --groups="$(getent group users | cut -d: -f3)" "$@"; }
id=$("$maille" sandbox run --dir "$net" "$tmp/one.yaml" --detach 2>/dev/null)
wait_for 20 as_officer /mnt/worker pending "$id" --dir "$one"
[ "$(stat -c '%a %u %G' "$one/spool")" = "3770 61002 users" ] || fail "expected spool/ of the vault and the group: $(stat -c '%a %u %G' "$one/spool")"
says 0 'told that' as_officer /mnt/worker notify --dir "$one" --once --command /bin/true
says 1 'cannot open' setpriv --reuid=61005 --regid=61005 --clear-groups /mnt/worker pending --dir "$one"
for secret in "$one/site.key" "$one/worker.yaml" "$one/log/messages.log" "$one/snapshots/snapshot-0001.h5"; do
    ! as_officer cat "$secret" >/dev/null 2>&1 || fail "the officer's account reads $secret"
done
! as_officer rm -f "$one/spool/$id.pending" 2>/dev/null || fail "the officer's account removes what is asked"
says 0 'approved' as_officer /mnt/worker approve "$id" --dir "$one" --key /mnt/dpo.key --credential /mnt/credential --reason "from her own account"
says 0 '' "$maille" resume "$id" --network "$net/network.yaml" --key "$net/researcher.key" --credential "$net/credential" --timeout 60s
says 0 'approved by site-1-dpo: from her own account' "$maille" audit show "$one/log" --network "$net/network.yaml" --query "$id" --lang en
# What that account links into the folder is not shared with it at the next start.
as_officer ln -s "$one/site.key" "$one/spool/mine.pending"
"$maille" sandbox restart --dir "$net" site-1 >/dev/null
[ "$(stat -c %a "$one/site.key")" = 600 ] || fail "expected site.key for its owner alone, found mode $(stat -c %a "$one/site.key")"
"$maille" sandbox down --dir "$net" >/dev/null
done_well
