#!/usr/bin/env python3
"""passphrases.py BIN TMP: every command that opens or makes a key asks for its passphrase on the terminal, without echo,
where it was given neither a credential nor MAILLE_PASSPHRASE; and says so where there is no terminal."""
import os
import pty
import select
import shutil
import subprocess
import sys
import time

BIN, TMP = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
WORDS = "several words are best"
environment = {k: v for k, v in os.environ.items() if k not in ("MAILLE_PASSPHRASE", "CREDENTIALS_DIRECTORY")}
faults = []


def on_terminal(arguments, answers, limit=60):
    """Runs a program in a session with a terminal of its own. What the terminal showed, and the exit status."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(TMP)
        os.execv(os.path.join(BIN, arguments[0]), [arguments[0], *arguments[1:]])
    shown, end, asked = b"", time.time() + limit, 0
    while time.time() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                got = os.read(terminal, 4096)
            except OSError:
                break
            if not got:
                break
            shown += got
            while asked < len(answers) and shown.count(b": ", 0) > 0 and shown.rstrip(b" ").endswith(b":"):
                time.sleep(0.05)
                os.write(terminal, answers[asked].encode() + b"\n")
                asked += 1
                shown += b"\n"
    _, status = os.waitpid(pid, os.WNOHANG)
    if status == 0 and time.time() >= end:
        os.kill(pid, 15)
        os.waitpid(pid, 0)
    os.close(terminal)
    return shown.decode(errors="replace"), asked


def asks(times, *arguments, words=WORDS):
    shown, asked = on_terminal(arguments, [words] * times)
    if asked != times or words in shown:
        faults.append(f"{' '.join(arguments[:3])}: expected to be asked {times} times without an echo, found {asked}: {shown!r}")
    return shown


def without(*arguments):
    """No terminal at all: one clear sentence."""
    done = subprocess.run([os.path.join(BIN, arguments[0]), *arguments[1:]], capture_output=True, text=True, cwd=TMP, env=environment,
                          stdin=subprocess.DEVNULL, start_new_session=True, timeout=60)
    if done.returncode != 2 or "expected a terminal to ask for the passphrase" not in done.stderr:
        faults.append(f"{' '.join(arguments[:3])}: expected a word about the terminal, found {done.returncode} {done.stderr!r}")


def main():
    shutil.rmtree(TMP, ignore_errors=True)
    os.makedirs(TMP)
    for role in ("authority", "researcher", "dpo"):
        asks(2, "maille", "keygen", "--role", role, "--name", role, "--out", ".")
    asks(2, "maille-worker", "init", "--dir", "site", "--name", "alpha")
    asks(2, "maille-coordinator", "init", "--dir", "c", "--name", "c")
    for path in ("authority.key", "researcher.key", "dpo.key", "site/site.key", "c/coordinator.key"):
        if not os.path.exists(os.path.join(TMP, path)):
            faults.append(f"expected {path}, which was made with a passphrase, found none")
    open(os.path.join(TMP, "asked"), "w").write("maille pending 1\nquery: " + 64 * "0" + "\n")
    opened = [
        ("maille", "officer", "approve", "asked", "--key", "dpo.key", "--out", "decision"),
        ("maille", "officer", "stop", 64 * "0", "--key", "dpo.key", "--out", "stop"),
        ("maille", "officer", "appoint", "dpo.pub", "--site", "alpha", "--role", "second", "--key", "dpo.key", "--out", "appointment"),
        ("maille", "audit", "replay", "site/log", "--key", "dpo.key"),
        ("maille", "audit", "show", "site/log", "--key", "dpo.key", "--anyway"),
        ("maille-worker", "objections", "--dir", "site"),
        ("maille-worker", "rekey", "--dir", "site"),
        ("maille-coordinator", "serve", "--dir", "c"),
    ]
    for command in opened:
        asks(1, *command)
        without(*command)
    without("maille-coordinator", "init", "--dir", "none", "--name", "c")
    if not os.path.exists(os.path.join(TMP, "decision")):
        faults.append("expected the decision that was signed with the passphrase of the terminal, found none")
    for words in faults:
        print("  " + words)
    print(f"{len(opened) + 5} commands, {len(faults)} faults")
    sys.exit(1 if faults else 0)


main()
