"""A week of questions in fast motion: real processes of a sandbox, and what they hold after so many questions.

    python3 -B tests/load/week.py BIN FOLDER [QUESTIONS [FIRST [AT_ONCE]]]

QUESTIONS (60) short questions are asked, AT_ONCE (4) at a time, by processes of their own. After question FIRST
(a third) and after the last one it reads of every process resident memory and descriptors, and what each folder
weighs. It fails where a process holds more than 2 MB more, or a descriptor more, than after question FIRST (4 MB where FIRST
is below 200: caches still fill). Loopback addresses alone; it ends by itself, and takes its network down."""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import time

GROWTH_KB, GROWTH_KB_BEFORE_200 = 2048, 4096
# The coordinator lets go of what is over after 10 s; `net` gives memory back when nothing has passed for a hello's time.
SETTLE_S, SETTLE_S_BEFORE_200 = 15, 1
DICTIONARY = """dictionary: tiny
version: 1
key: pid
rows: one
variables:
  - { name: age, type: integer, min: 0, max: 120 }
  - { name: sex, type: category, levels: [F, M] }
"""
STUDY = """study: t%d
dictionary: tiny@1
title: t
purpose: research-public-interest
legal_basis: b
protocol: P
expires: 2099-12-31
analyses:
  - { id: n, method: count, by: [sex] }
"""


def processes(net):
    """pid → name of every process that the sandbox's pid files lead to, children included."""
    children = {}
    names = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            stat = open(f"/proc/{pid}/stat").read()
        except OSError:
            continue
        name, rest = re.match(r"\d+ \((.*)\) (.*)", stat, re.S).groups()
        names[int(pid)] = name
        children.setdefault(int(rest.split()[1]), []).append(int(pid))
    found = {}
    for folder in [os.path.join(net, "coordinator")] + [os.path.join(net, "sites", s) for s in sorted(os.listdir(os.path.join(net, "sites")))]:
        todo = [int(open(os.path.join(folder, "pid")).read())]
        while todo:
            pid = todo.pop()
            if pid in names:
                found[pid] = f"{os.path.basename(folder)} {names[pid]}"
                todo += children.get(pid, [])
    return found


def held(pid):
    """Resident kB that are no file's, and descriptors."""
    status = open(f"/proc/{pid}/status").read()
    return int(re.search(r"RssAnon:\s+(\d+)", status).group(1)), len(os.listdir(f"/proc/{pid}/fd"))


def weight(folder):
    return sum(os.lstat(os.path.join(d, f)).st_blocks * 512 for d, _, files in os.walk(folder) for f in files)


def state(net):
    return ({pid: held(pid) for pid in processes(net)},
            {name: weight(os.path.join(net, name)) for name in ["coordinator"] + ["sites/" + s for s in os.listdir(os.path.join(net, "sites"))]})


class Sandbox:
    """Sites over so many patients, made up here, in a folder; ask(n) asks question n. up: further options of
    `sandbox up`; environment: what the processes of the network have beside their own."""

    def __init__(self, bin_, folder, *up, sites=3, patients=90, environment=None):
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder + "/home")
        self.folder, self.net, self.maille = folder, folder + "/net", bin_ + "/maille"
        self.environment = dict(os.environ, HOME=folder + "/home", XDG_STATE_HOME=folder + "/home/state")
        with open(folder + "/data.csv", "w") as out:
            out.write("pid,age,sex\n" + "".join(f"P{i},{30 + i % 40},{'FM'[i % 2]}\n" for i in range(patients)))
        with open(folder + "/dictionary.yaml", "w") as out:
            out.write(DICTIONARY)
        failed = self.run("up", "--data", folder + "/data.csv", "--dictionary", folder + "/dictionary.yaml", "--sites", str(sites), *up,
                          environment=environment)
        if failed:
            sys.exit(f"expected a sandbox, found: {failed}")

    def run(self, command, *options, environment=None):
        done = subprocess.run([self.maille, "sandbox", command, "--dir", self.net, *options], env=dict(self.environment, **(environment or {})), stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, check=False)
        return None if done.returncode == 0 else done.stderr.decode()

    def ask(self, n):
        study = f"{self.folder}/study-{n % 64}.yaml"
        with open(study, "w") as out:
            out.write(STUDY % n)
        return self.run("run", study, "--json", f"{self.folder}/result-{n % 64}.json")

    def down(self):
        self.run("down")


def main():
    bin_, folder = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    questions = int(sys.argv[3]) if len(sys.argv) > 3 else 60
    first = int(sys.argv[4]) if len(sys.argv) > 4 else questions // 3
    at_once = int(sys.argv[5]) if len(sys.argv) > 5 else 4
    growth = GROWTH_KB if first >= 200 else GROWTH_KB_BEFORE_200
    box = Sandbox(bin_, folder)
    net = box.net
    bad = []
    try:
        began = time.time()
        before = None
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            for part in (range(first), range(first, questions)):
                bad += [f"question failed: {e}" for e in pool.map(box.ask, part) if e]
                time.sleep(SETTLE_S if first >= 200 else SETTLE_S_BEFORE_200)
                if before is None:
                    before = state(net)
        after, names, seconds = state(net), processes(net), time.time() - began
        print(f"{questions} questions, {at_once} at a time, in {seconds:.0f} s; after question {first} and the last:")
        for pid in sorted(names, key=names.get):
            old, new = before[0].get(pid), after[0][pid]
            if old is None:
                bad.append(f"{names[pid]} started anew")
                continue
            print(f"  {names[pid]:28} {old[0]:7d} {new[0]:7d} kB ({new[0] - old[0]:+d}), {old[1]} and {new[1]} descriptors")
            if new[0] - old[0] > growth:
                bad.append(f"{names[pid]}: expected at most {growth} kB more, found {new[0] - old[0]}")
            if new[1] > old[1]:
                bad.append(f"{names[pid]}: expected {old[1]} descriptors, found {new[1]}")
        for name in sorted(after[1]):
            print(f"  {name:28} {(after[1][name] - before[1][name]) / max(1, questions - first) / 1024:.1f} kB of disk a question")
        if len(before[0]) != len(after[0]):
            bad.append(f"expected {len(before[0])} processes, found {len(after[0])}")
    finally:
        box.down()
    for line in bad[:10]:
        print(line, file=sys.stderr)
    if not bad:
        shutil.rmtree(folder)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
