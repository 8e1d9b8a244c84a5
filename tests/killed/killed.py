"""Real processes, killed at each of their durable points: the coordinator, whoever asks, and a site's vault.

    python3 -B tests/killed/killed.py BIN POINTS FOLDER [RUNS [SEED]]

POINTS is the library of points.c. In each of RUNS (30) runs one of the three is killed while a question is asked:
at its points in turn, and half of the time once or twice more while it recovers. The coordinator is
started again, the vault by its supervisor; whoever asked goes on (`maille resume`), or asks again where nothing was
written. The question ends with the pooled numbers bit for bit, or with a sentence that names the cause. Half of the
runs are in the circle, half where the agent steps. Loopback addresses alone; it ends by itself and takes its
networks down."""
import json
import math
import os
import random
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "load"))
from week import Sandbox, STUDY  # noqa: E402

VICTIMS = {"coordinator": "maille-coordinator", "agent": "maille", "vault": "maille-vault"}
POLICY = {"circle": "policy: standard\napproval: auto\nfine_predicates: allow\n", "agent": "policy: open\n"}
SITES = {"circle": 5, "agent": 3}  # fewer in the circle: officers decide
SITE, PATIENCE_S, VAULT_DEATHS = "site-2", 60, 6
ANALYSIS = "  - { id: n, method: count, by: [sex] }\n"
ANALYSES = ANALYSIS + "  - { id: d, method: describe, variables: [age] }\n"


class Killed:
    def __init__(self, bin_, library, folder, policy, seed):
        self.dice = random.Random(seed)
        os.makedirs(folder, exist_ok=True)
        self.library = library
        self.files = {victim: f"{folder}/{victim}.points" for victim in VICTIMS}
        for victim in VICTIMS:
            self.set_points(victim, [])
        with open(folder + "/policy.yaml", "w") as out:
            out.write(POLICY[policy])
        self.box = Sandbox(bin_, folder + "/box", "--policy", folder + "/policy.yaml", sites=SITES[policy], environment=self.env("coordinator"))
        settings = f"{self.box.net}/sites/{SITE}/worker.yaml"
        text = open(settings).read()
        with open(settings, "w") as out:
            out.write(text.replace("# restart_after: ", "restart_after: 50ms # ", 1))
        self.restart(SITE, "vault")
        self.deaths_of_vault = self.reminded = 0
        self.study = f"{folder}/study.yaml"
        with open(self.study, "w") as out:
            out.write((STUDY % 0).replace(ANALYSIS, ANALYSES))
        self.expected = self.ask()[0]
        if self.expected is None:
            sys.exit("expected an answer before anything is killed")
        self.totals = {}
        for victim in VICTIMS:  # how many points a question has
            self.set_points(victim, [])
            self.ask()
            self.totals[victim] = self.reached(victim)
        self.turn = dict.fromkeys(VICTIMS, 0)

    def env(self, victim):
        return {"LD_PRELOAD": self.library, "KILLED_NAME": VICTIMS[victim], "KILLED_FILE": self.files[victim]}

    def set_points(self, victim, ends):
        """In place: processes have the file mapped."""
        fd = os.open(self.files[victim], os.O_RDWR | os.O_CREAT, 0o600)
        os.pwrite(fd, struct.pack("<4I", 0, *(ends + [0, 0, 0])[:3]), 0)
        os.close(fd)

    def reached(self, victim):
        return struct.unpack("<I", open(self.files[victim], "rb").read(4))[0]

    def restart(self, who, victim, may_fail=False):
        failed = self.box.run("restart", who, environment=self.env(victim))
        if failed is not None and not may_fail:
            sys.exit(f"sandbox restart {who}: {failed}")

    def journals(self):
        folder = self.box.environment["XDG_STATE_HOME"] + "/maille"
        return set(os.listdir(folder)) if os.path.isdir(folder) else set()

    def coordinator_is_gone(self):
        try:
            pid = int(open(f"{self.box.net}/coordinator/pid").read())
            return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] == "Z"
        except FileNotFoundError:
            return True

    def once(self, words):
        """One life of whoever asks: status and what was said. The coordinator is started again meanwhile."""
        with open(self.box.folder + "/said", "w+") as said:
            child = subprocess.Popen([self.box.maille, *words], stdout=subprocess.DEVNULL, stderr=said,
                                     env=dict(self.box.environment, **self.env("agent")))
            while True:
                try:
                    child.wait(0.05)
                    break
                except subprocess.TimeoutExpired:
                    if self.coordinator_is_gone():
                        self.restart("coordinator", "coordinator", may_fail=True)  # its start has points too
            said.seek(0)
            return child.returncode, said.read()

    def ask(self):
        """(analyses of the result, None), or (None, the sentence of why not); (None, "") where nobody says why."""
        result = self.box.folder + "/result.json"
        if os.path.exists(result):
            os.unlink(result)
        known = self.journals()
        status, said = -9, ""
        while status in (-9, 137) or "stopped before its question was written" in said:
            if "stopped before its question was written" in said:
                known = self.journals()
            new = self.journals() - known
            words = ["resume", new.pop()] if new else ["sandbox", "run", "--dir", self.box.net, self.study]
            words += ["--json", result, "--timeout", f"{PATIENCE_S}s"]
            status, said = self.once(words)
            if status == 2 and "does not remember one" in said:  # killed between its journal and what it remembers
                net = self.box.net
                status, said = self.once(words + ["--network", f"{net}/network.yaml", "--key", f"{net}/researcher.key",
                                                  "--credential", f"{net}/credential"])
                self.reminded += 1
        if status == 0 and os.path.exists(result):
            analyses = json.load(open(result))["analyses"]
            if all(a["status"] == "ok" for a in analyses):
                return analyses, None
            said = " ".join(a.get("reason") or "" for a in analyses)
        return None, said.strip()

    def run(self, victim):
        """One question in which the victim is killed. None: it had its numbers; else the cause, or what is wrong."""
        total = max(1, self.totals[victim])
        stride = next(n for n in range(int(0.618 * total) + 1, 2 * total + 2) if math.gcd(n, total) == 1)
        first = 1 + self.turn[victim] * stride % total  # far apart, and each once before any is twice
        self.turn[victim] += 1
        ends = [first]
        while self.dice.random() < 0.5 and len(ends) < 3:
            ends.append(ends[-1] + self.dice.randint(1, 12))
        self.set_points(victim, ends)
        analyses, cause = self.ask()
        reached = self.reached(victim)
        deaths = sum(1 for end in ends if end <= reached)
        self.deaths_of_vault += deaths if victim == "vault" else 0
        self.set_points(victim, [])
        if self.deaths_of_vault >= VAULT_DEATHS:  # what the supervisor waits doubles with every death
            self.restart(SITE, "vault")
            self.deaths_of_vault = 0
        if analyses is not None and analyses != self.expected:
            sys.exit(f"{victim} at {ends}: expected {json.dumps(self.expected)}, found {json.dumps(analyses)}")
        if analyses is None and not cause:
            sys.exit(f"{victim} at {ends}: it ended without numbers, and nobody says why")
        return deaths, cause


def in_mode(bin_, library, folder, policy, runs, seed):
    killed = Killed(bin_, library, folder, policy, seed)
    try:
        age = next(a for a in killed.expected if a["id"] == "d")
        count = next(a for a in killed.expected if a["id"] == "n")
        numbers = [30 + i % 40 for i in range(90)]
        if [g["n"] for g in count["result"]["groups"]] != [45, 45] or repr(sum(numbers) / 90) not in json.dumps(age):
            sys.exit(f"expected the pooled numbers, found {json.dumps(killed.expected)}")
        causes, deaths, began = [], 0, time.time()
        for i in range(runs):
            victim = list(VICTIMS)[i % len(VICTIMS)]
            died, cause = killed.run(victim)
            deaths += died
            causes += [f"{victim}: {cause}"] if cause else []
        print(f"{policy}: {runs} questions, {deaths} times killed at one of {killed.totals} points, "
              f"{runs - len(causes)} had the pooled numbers, {len(causes)} a cause, {killed.reminded} had to be told "
              f"the key again; {time.time() - began:.0f} s")
        for cause in sorted(set(causes))[:5]:
            print(f"  {cause}")
        if 10 * len(causes) > runs or deaths < runs * 2 // 3:
            sys.exit("expected nine in ten to have their numbers, and two in three to be killed")
    finally:
        killed.box.down()


def main():
    bin_, library, folder = (os.path.abspath(word) for word in sys.argv[1:4])
    runs = int(sys.argv[4]) if len(sys.argv) > 4 else int(os.environ.get("MAILLE_KILLS", "30"))
    seed = int(sys.argv[5]) if len(sys.argv) > 5 else 1
    in_mode(bin_, library, folder + "/circle", "circle", runs - runs // 2, seed)
    in_mode(bin_, library, folder + "/agent", "agent", runs // 2, seed)


if __name__ == "__main__":
    main()
