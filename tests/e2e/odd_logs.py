#!/usr/bin/env python3
"""odd_logs.py MAILLE LOG NETWORK TMP: folders that are no log, or one that somebody made to hang or crash a reader: verify, show and
export end soon, with a word and without a crash, and are content only where something strange lies beside a whole log."""
import os
import resource
import shutil
import stat
import struct
import subprocess
import sys

MAILLE, LOG, NETWORK, TMP = (os.path.abspath(p) for p in sys.argv[1:5])
MESSAGES = os.path.join(LOG, "messages.log")
GIB = 1 << 30


def frames(path):
    data = open(path, "rb").read()
    head = data.index(b"\n") + 1
    found, at = [], head
    while at + 5 <= len(data):
        length = struct.unpack("<I", data[at + 1:at + 5])[0]
        found.append(data[at:at + 5 + length])
        at += 5 + length
    return data[:head], found


BESIDE = {"packed-fifo", "many"}


def new(name):
    folder = os.path.join(TMP, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    return folder, os.path.join(folder, "messages.log")


def write(path, head, found, tail=b"", size=None):
    with open(path, "wb") as out:
        out.write(head + b"".join(found) + tail)
    if size:
        os.truncate(path, size)


def cases():
    head, found = frames(MESSAGES)
    folder, log = new("fifo")
    os.mkfifo(log)
    yield folder
    folder, log = new("folder")
    os.makedirs(log)
    yield folder
    for name, target in (("password", "/etc/passwd"), ("zero", "/dev/zero"), ("input", "/dev/stdin"), ("loop", "messages.log")):
        folder, log = new("link-" + name)
        os.symlink(target, log)
        yield folder
    folder, log = new("base-fifo")
    shutil.copy(MESSAGES, log)
    os.mkfifo(os.path.join(folder, "base"))
    yield folder
    folder, log = new("packed-fifo")
    shutil.copy(MESSAGES, log)
    os.mkfifo(os.path.join(folder, "messages-000000000000.log.lz4"))
    yield folder
    folder, log = new("sparse")
    write(log, head, found, size=20 * GIB)
    yield folder
    folder, log = new("long-frame")
    write(log, head, found[:5], b"L" + struct.pack("<I", 0xFFFFFFFF) + b"x" * 100)
    yield folder
    folder, log = new("long-frame-sparse")
    write(log, head, found[:5], b"L" + struct.pack("<I", 320 << 20) + b"x" * 100, size=GIB)
    yield folder
    folder, log = new("header")
    write(log, b"maille-log 2 999999999999\n", found)
    yield folder
    folder, log = new("many")
    for i in range(5000):
        open(os.path.join(folder, f"messages-{i:012d}.log.lz4"), "wb").close()
    shutil.copy(MESSAGES, log)
    yield folder
    folder, log = new("empty")
    write(log, b"", [])
    yield folder
    folder, log = new("dropped")
    write(log, head, found[:20] + found[23:])
    yield folder
    folder, log = new("swapped")
    write(log, head, found[:20] + [found[21], found[20]] + found[22:])
    yield folder
    folder, log = new("twice")
    write(log, head, found[:21] + [found[20]] + found[21:])
    yield folder
    folder, log = new("beheaded")
    write(log, head, found[2:])
    yield folder
    yield os.path.join(TMP, "none")


with open(MAILLE, "rb") as program:
    SANITIZED = b"__asan_init" in program.read()  # its shadow alone is terabytes


def limited():
    if SANITIZED:
        return
    resource.setrlimit(resource.RLIMIT_AS, (3 * GIB, 3 * GIB))


def main():
    faults, n = [], 0
    for folder in cases():
        for what in ("verify", "show", "export"):
            out = os.path.join(TMP, "out")
            shutil.rmtree(out, ignore_errors=True)
            command = [MAILLE, "audit", what, folder, "--network", NETWORK] + (["--out", out] if what == "export" else [])
            name = f"{os.path.basename(folder)}, {what}"
            n += 1
            try:
                done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=60, stdin=subprocess.DEVNULL,
                                      preexec_fn=limited)
            except subprocess.TimeoutExpired:
                faults.append(f"{name}: did not end in 60 s")
                continue
            words = (done.stdout + done.stderr).strip()
            if os.path.basename(folder) in BESIDE and done.returncode == 0:
                continue
            if done.returncode not in (1, 2) or not words:
                faults.append(f"{name}: expected exit status 1 or 2 and a word, found {done.returncode}: {words[:200]!r}")
            if os.path.exists(os.path.join(out, "register.csv")):
                faults.append(f"{name}: a register was written")
            if "root:" in words:
                faults.append(f"{name}: shows another file")
    for words in faults:
        print("  " + words)
    print(f"{n} attempts, {len(faults)} faults")
    for folder, _, files in os.walk(TMP):
        for name in files:
            path = os.path.join(folder, name)
            if stat.S_ISREG(os.lstat(path).st_mode) and os.lstat(path).st_size > GIB // 2:
                os.truncate(path, 0)
    sys.exit(1 if faults else 0)


main()
