"""A researcher with a good key: asks a sandbox of real processes, and reads what comes back."""
import json
import os
import pathlib
import signal
import subprocess
import time

HEAD = """study: {name}
dictionary: wards@1
title: {name}
purpose: research-public-interest
legal_basis: MR-004
protocol: {protocol}
expires: 2099-12-31
grid: month
missing: study
"""


class Network:
    def __init__(self, bin_folder, folder, policy):
        self.bin, self.folder, self.net = pathlib.Path(bin_folder), pathlib.Path(folder), pathlib.Path(folder) / "net"
        self.asked = 0
        self.environment = dict(os.environ, NO_COLOR="1", XDG_STATE_HOME=str(self.folder / "state"))
        (self.folder / "policy.yaml").write_text(policy)

    def run(self, program, *words):
        done = subprocess.run([self.bin / program, *map(str, words)], capture_output=True, text=True, timeout=300, env=self.environment)
        return done.returncode, done.stdout + done.stderr

    def up(self):
        code, said = self.run("maille", "sandbox", "up", "--dir", self.net, "--data", self.folder / "registry.csv", "--dictionary",
                              self.folder / "registry.yaml", "--split-by", "hospital", "--policy", self.folder / "policy.yaml")
        if code != 0:
            raise SystemExit(f"expected a sandbox, found: {said}")

    def cpu_seconds(self):
        """Of the sandbox's processes so far."""
        ticks = 0
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if str(self.net).encode() in (process / "cmdline").read_bytes():
                    ticks += sum(map(int, (process / "stat").read_text().rsplit(")", 1)[1].split()[11:15]))
            except OSError:  # it has ended
                pass
        return ticks / os.sysconf("SC_CLK_TCK")

    def down(self):
        self.run("maille", "sandbox", "down", "--dir", self.net)

    def must(self, program, *words):
        code, said = self.run(program, *words)
        if code != 0:
            raise SystemExit(f"{program} {words[0]}: expected it to work, found: {said}")
        return said

    def sign(self, words):
        """The change that was made is signed, and every site has it. words: how a line of the new directory begins."""
        self.must("maille", "network", "sign", "--network", self.net / "network.yaml", "--key", self.net / "authority.key", "--credential",
                  self.net / "credential")
        os.kill(int((self.net / "coordinator" / "pid").read_text()), signal.SIGHUP)
        end = time.time() + 30
        while not all(words in site.read_text() for site in self.net.glob("sites/*/network.yaml")):
            if time.time() > end:
                raise SystemExit(f"expected every site to have {words}")
            time.sleep(0.1)

    def enroll(self, name):
        """One more researcher."""
        if (self.folder / name).exists():
            return
        token = self.must("maille", "network", "invite", "--network", self.net / "network.yaml", "--role", "researcher", name).split()
        self.must("maille", "keygen", "--role", "researcher", "--name", name, "--out", self.folder / name, "--credential", self.net / "credential",
                  "--token", token[-1])
        self.must("maille", "network", "add", "--network", self.net / "network.yaml", self.folder / name / f"{name}.pub")
        self.sign(f"name: {name},")

    def register(self, file):
        self.must("maille", "network", "register", "--network", self.net / "network.yaml", file)
        self.sign("registrations:\n")

    def object(self, site, objections):
        """The next snapshot of a site, without those who object."""
        folder = self.net / "sites" / site
        self.must("maille-worker", "import", "--dir", folder, "--dictionary", self.folder / "registry.yaml", "--data", folder / "data.csv", "--public",
                  "--credential", self.net / "credential", "--objections", objections)
        time.sleep(2)  # a worker looks every second

    def ask(self, name, analyses, derive=None, protocol=None, sites=None, cohort=None, researcher=None):
        """analyses: {id: the rest of its line}. Returns {id: its analysis}; of a study that nobody answered {id: why}."""
        self.asked += 1
        text = HEAD.format(name=name, protocol=protocol or f"HDH-{name}")
        if sites:
            text += f"sites: [{', '.join(sites)}]\n"
        if cohort:
            text += f"cohort: {cohort}\n"
        if derive:
            text += "derive:\n" + "".join(f"  {key}: {value}\n" for key, value in derive.items())
        text += "analyses:\n" + "".join(f"  - {{ id: {key}, {value} }}\n" for key, value in analyses.items())
        study, result = self.folder / f"{name}.yaml", self.folder / f"{name}.json"
        study.write_text(text)
        result.unlink(missing_ok=True)
        words = ["sandbox", "run", "--dir", self.net] if researcher is None else [
            "run", "--network", self.net / "network.yaml", "--key", self.folder / researcher / f"{researcher}.key", "--credential",
            self.net / "credential", "--dictionary", self.folder / "registry.yaml"]
        code, said = self.run("maille", *words, study, "--json", result, "--quiet")
        if code == 2 and "registered" not in said and "registration" not in said:
            raise SystemExit(f"{name}: expected a study, found: {said}")
        if not result.exists():
            return {key: {"status": "refused", "rule": rule_of(said), "reason": said.strip()} for key in analyses}
        return {analysis["id"]: analysis for analysis in json.loads(result.read_text())["analyses"]}


def rule_of(said):
    """The rule in a sentence of `maille run` about a whole study."""
    if "to be a registration of the network" in said or "of the registration" in said:
        return "protocol"
    for words in ("rule ", "found it refused under ", "("):
        if words in said:
            return said.split(words, 1)[1].split(")")[0].split()[0].strip(".,:;\"'")
    return said.strip().split("\n")[-1][:80]


NAMES = ("id", "by", "level", "variable", "value", "term", "stratum", "cause", "group", "label", "quantity", "reference")


def numbers(analysis, path=()):
    """Every number of a result by where it stands: {path: number}."""
    found = {}
    if isinstance(analysis, dict):
        for key, value in analysis.items():
            if key not in ("asked", "frame") and key not in NAMES:
                found |= numbers(value, path + (key,))
    elif isinstance(analysis, list):
        for i, value in enumerate(analysis):
            name = tuple(str(value[key]) for key in NAMES if value.get(key) is not None) if isinstance(value, dict) else ()
            found |= numbers(value, path + (name or (i,)))
    elif isinstance(analysis, (int, float)) and not isinstance(analysis, bool):
        found[path] = analysis
    return found


def shape(value):
    """What an answer says beside its numbers: rules, sentences, names of levels, what is null."""
    if isinstance(value, dict):
        return {key: shape(v) for key, v in value.items() if key not in ("id", "asked", "frame")}
    if isinstance(value, list):
        return [shape(v) for v in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "a number"
    return value


def rules(answers):
    """By which rules these answers were stopped: those of refused analyses; "hidden" where numbers are null to protect patients, "joined" where steps of time are,
    "vetoed" where a site objects for a reason of its own, which nobody is told."""
    found = set()
    for answer in answers:
        if answer["status"] == "refused" and answer.get("rule"):
            found.add(answer["rule"])
        if answer["status"] in ("failed", "vetoed"):
            found.add(answer["status"])
        if answer["status"] == "ok" and (answer.get("suppressed") or answer.get("n_missing", 0) is None or
                                         answer["result"].get("vcov", 0) is None):
            found.add("hidden")
        if answer["status"] == "ok" and answer.get("grid_merged"):
            found.add("joined")
    return found
