# Goal: a service manager hears when a worker and a coordinator are ready, alive, reload and stop (sd_notify), and a worker whose files
# are wrong is never ready; journald gets each line's priority.
. tests/e2e/lib.sh
up --sites 3
one=$net/sites/site-1
"$maille" sandbox down --dir "$net" >/dev/null
python3 - "$bin" "$net" "$one" <<'LISTEN' || fail "expected the words of a service"
import os, signal, socket, subprocess, sys, time
bin, net, one = sys.argv[1:4]


def service(command, socket_name, words_wanted):
    """Starts, waits for the words in their order (each with what is done once it came), stops."""
    ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    ear.bind("\0" + socket_name[1:] if socket_name[0] == "@" else socket_name)
    ear.settimeout(30)
    read, write = os.pipe()
    stat = os.fstat(write)
    env = dict(os.environ, NOTIFY_SOCKET=socket_name, JOURNAL_STREAM=f"{stat.st_dev}:{stat.st_ino}")
    program = subprocess.Popen(command, env=env, stderr=write)
    os.close(write)
    heard = []
    for word, then in words_wanted:
        while True:
            heard.append(ear.recv(4096).decode())
            if word in heard[-1].split("\n"):
                break
        if then is not None:
            program.send_signal(then)
    status = program.wait(timeout=20)
    with os.fdopen(read) as said:
        lines = said.read().splitlines()
    assert status == 0, (status, heard, lines)
    assert all(line[:3] in ("<3>", "<4>", "<6>") for line in lines), lines
    reloads = [text for text in heard if "RELOADING=1" in text]
    assert all("MONOTONIC_USEC=" in text for text in reloads), reloads
    ear.close()
    return lines


words = [("READY=1", None), ("WATCHDOG=1", signal.SIGHUP), ("RELOADING=1", None), ("READY=1", signal.SIGTERM), ("STOPPING=1", None)]
hub = service([bin + "/maille-coordinator", "serve", "--dir", net + "/coordinator", "--network", net + "/network.yaml",
               "--credential", net + "/credential"], net + "/notify", words)
site = service([bin + "/maille-worker", "serve", "--dir", one, "--credential", net + "/credential"], "@maille-test-%d" % os.getpid(), words)
assert any(line.startswith("<6>") and "serves the network" in line for line in site), site

# Never ready where a file is wrong.
ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
ear.bind(net + "/notify2")
ear.settimeout(1)
os.rename(one + "/policy.yaml", one + "/policy.kept")
open(one + "/policy.yaml", "w").write("policy: strict\nmin_cel: 5\n")
done = subprocess.run([bin + "/maille-worker", "serve", "--dir", one, "--credential", net + "/credential"],
                      env=dict(os.environ, NOTIFY_SOCKET=net + "/notify2"), stderr=subprocess.PIPE)
assert done.returncode == 2, done
try:
    while True:
        assert "READY=1" not in ear.recv(4096).decode()
except socket.timeout:
    pass
LISTEN
checks=$((checks + 3))
done_well
