#!/usr/bin/env python3
"""Runs the commands of docs/NETWORK.md and then of docs/BACKUP.md as they stand there, each party in folders of its own, in the order of the page.

guide.py BIN WORK: BIN holds the programs, WORK is made anew. A block "```sh PARTY" is run by that party (site: by each of the
four hospitals in turn; a hospital's name: by that one) in one bash that stops at the first error; programs that a block leaves running are ended at the end.
The study's result is held against R's. Exit status 1 with the block that failed."""
import os
import re
import shutil
import signal
import subprocess
import sys
import time

SITES = ["alpha", "beta", "gamma", "delta"]
PAGES = ["NETWORK", "BACKUP"]


def blocks(page):
    """(party, commands) in the order of the page"""
    return re.findall(r"^```sh ([a-z]+)\n(.*?)^```$", open(page, encoding="utf-8").read(), re.M | re.S)


def listening(port):
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        if os.path.exists(path) and re.search(r":%04X [0-9A-F:]+ 0A" % port, open(path).read()):
            return True
    return False


def main():
    binaries, work = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work, 0o755)
    shared = dict(os.environ, PATH=binaries + ":" + os.environ["PATH"], BOARD=work + "/board", HUB=work + "/hub",
                  ALICE=work + "/alice", CREDENTIALS=work + "/credentials", POST=work + "/post", BACKUP=work + "/backup",
                  EXAMPLE=root + "/examples/rotterdam", NO_COLOR="1")
    began, commands, groups, failed = time.time(), 0, set(), 0
    try:
        for party, text in [block for page in PAGES for block in blocks(f"{root}/docs/{page}.md")]:
            for name in SITES if party == "site" else [party]:
                env = dict(shared, NAME=name, DIR=work + "/" + name) if name in SITES else shared
                done = subprocess.Popen(["bash", "-euo", "pipefail", "-c", text], env=env, cwd=work, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True)
                groups.add(done.pid)
                if text.rstrip().endswith("&"):  # it serves: its output is its own
                    done.stdout.close()
                    status = done.wait()
                    time.sleep(0.3)
                else:
                    said = done.communicate()[0]
                    status = done.returncode
                    if status:
                        sys.stdout.write(said.decode(errors="replace"))
                if status:
                    sys.exit(f"expected this to go through as {name}, found status {status}:\n{text}")
                commands += len([c for c in text.replace("\\\n", " ").splitlines() if re.search(r"\bmaille", c)])
        checked = subprocess.run([sys.executable, root + "/tests/compare.py", work + "/alice/result.json",
                                  root + "/tests/vectors/rotterdam.demo.gold.json", "--rtol", "1e-9", "--field-rtol",
                                  "p_value=1e-7"], capture_output=True, text=True)
        if checked.returncode:
            sys.stdout.write(checked.stdout[-2000:] + checked.stderr)
            sys.exit("expected what R gives on the pooled data, found another result")
        print(f"{commands} commands of docs/{', docs/'.join(p + '.md' for p in PAGES)}, {time.time() - began:.0f} s; the result is R's")
    finally:
        for group in groups:
            try:
                os.killpg(group, signal.SIGTERM)
            except ProcessLookupError:
                pass


main()
