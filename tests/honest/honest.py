#!/usr/bin/env python3
"""What the rules cost people who mean well, asked of real networks.

    honest.py BIN FOLDER [--only PART[,PART…]] [--short]

BIN holds the programs, FOLDER is made anew. Parts: papers (47 analyses of seven papers on the Rotterdam data under
strict and standard, at 6 and 18 sites, a registration each, whatever is held approved), missing (the same on a
registry of 22,109 made-up patients with 10 to 40 % missing), cohorts (50 cohorts drawn from what papers use, of 2,982
and 22,109 patients), afternoon (20 reruns of a study of five models and a Table 1, under standard), example (the
shipped study under strict within its registration). --short: what CI runs, papers at 6 sites under strict and the
example. Prints a line an analysis, then the table; exit status 1 where more is refused than LIMITS say."""
import argparse
import csv
import json
import math
import os
import random
import re
import shutil
import subprocess
import sys
import time

import questions

ROTTERDAM = "examples/rotterdam/"
# What may be refused, and answered with loss, in each setting: a change that costs more fails here.
LIMITS = {"papers strict 6": (7, 16), "papers standard 6": (7, 16), "papers strict 18": (7, 16), "papers standard 18": (7, 16),
          "missing strict 6": (4, 13), "missing standard 6": (4, 13), "afternoon standard 6": (24, 34), "example strict 6": (0, 2)}
HEAD = ("study: {name}\ndictionary: rotterdam@1\ntitle: {name}\npurpose: research-public-interest\nlegal_basis: MR-004\n"
        "protocol: {protocol}\nexpires: 2099-12-31\ngrid: {grid}\nmissing: {missing}\n")


class Network:
    def __init__(self, world, name, data, sites, policy):
        self.maille, self.dir, self.tmp = world.bin + "/maille", f"{world.folder}/{name}", f"{world.folder}/{name}.q"
        os.makedirs(self.tmp)
        said = subprocess.run([self.maille, "sandbox", "up", "--dir", self.dir, "--data", data, "--dictionary",
                               ROTTERDAM + "dictionary.yaml", "--sites", str(sites), "--policy", policy],
                              capture_output=True, text=True, timeout=600)
        if said.returncode != 0:
            sys.exit(f"expected a network, found: {said.stderr}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run([self.maille, "sandbox", "down", "--dir", self.dir], capture_output=True, timeout=120)

    def ask_file(self, path):
        """(analyses of the result, what the program said)"""
        out = f"{self.tmp}/{os.path.basename(path)}.json"
        if os.path.exists(out):
            os.remove(out)
        said = subprocess.run([self.maille, "sandbox", "run", "--dir", self.dir, path, "--json", out, "--quiet", "--approve"],
                              capture_output=True, text=True, timeout=580)
        if not os.path.exists(out):
            return [], said.stderr + said.stdout
        with open(out, encoding="utf-8") as file:
            return json.load(file)["analyses"], said.stderr

    def ask(self, name, protocol, lines, grid="month", missing="study"):
        path = f"{self.tmp}/{name}.yaml"
        with open(path, "w", encoding="utf-8") as file:
            file.write(HEAD.format(name=name, protocol=protocol, grid=grid, missing=missing) + "\n".join(lines) + "\n")
        return self.ask_file(path)


# What came of an analysis: answered, with loss (numbers hidden, steps joined), or refused.
def judged(analysis):
    if analysis["status"] != "ok":
        return "refused"
    return "loss" if analysis.get("suppressed") or analysis.get("grid_merged") else "answered"


# Whether a refusal says what may be asked instead: a published cohort, or one of her own that was answered.
def instead(analysis):
    return bool(analysis.get("offer") or analysis.get("earlier"))


def tell(setting, where, analysis):
    verdict = judged(analysis)
    why = f"{analysis.get('rule') or ''}: {analysis.get('reason') or ''}" if verdict == "refused" else \
        f"hidden {analysis.get('suppressed') or 0}, joined {bool(analysis.get('grid_merged'))}" if verdict == "loss" else ""
    print(f"{setting:24} {where:16} {analysis['id']:10} {analysis['method']:9} {verdict:8} {why[:200]}", flush=True)
    return verdict


class World:
    def __init__(self, programs, folder):
        self.bin, self.folder, self.rows, self.failed = os.path.abspath(programs), os.path.abspath(folder), [], False
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        os.environ["XDG_STATE_HOME"], os.environ["NO_COLOR"] = self.folder + "/state", "1"
        with open(ROTTERDAM + "rotterdam.csv", encoding="utf-8") as file:
            self.rotterdam = list(csv.DictReader(file))

    def row(self, setting, counts, seconds):
        """counts: answered, loss, refused, and whatever else is told."""
        n = counts["answered"] + counts["loss"] + counts["refused"]
        limit = LIMITS.get(setting)
        fits = limit is None or (counts["refused"] <= limit[0] and counts["loss"] <= limit[1])
        self.failed |= not fits or counts.get("broken", 0) > 0
        self.rows.append((setting, n, counts["answered"], counts["loss"], counts["refused"],
                          "" if limit is None else f"{limit[0]} / {limit[1]}", f"{seconds:.0f}",
                          f"{counts.get('instead', 0)} of the refused say what to ask instead; " * (counts["refused"] > 0) + counts.get("note", "")
                          + ("" if fits else " TOO MANY")))

    def table(self):
        heads = ("setting", "asked", "answered", "with loss", "refused", "limits (refused / loss)", "s", "")
        print("\n| " + " | ".join(heads) + " |\n|" + " --- |" * len(heads))
        for row in self.rows:
            print("| " + " | ".join(str(x) for x in row) + " |")


def add(counts, analyses, said, setting, where):
    if not analyses:
        print(f"{setting:24} {where:16} NO RESULT: {said.strip()[-400:]}", flush=True)
        counts["broken"] = counts.get("broken", 0) + 1
    for analysis in analyses:
        counts[tell(setting, where, analysis)] += 1
        counts["instead"] = counts.get("instead", 0) + instead(analysis)


def papers(world, data, label, settings):
    for policy, sites in settings:
        setting, counts, began = f"{label} {policy} {sites}", {"answered": 0, "loss": 0, "refused": 0}, time.time()
        with Network(world, setting.replace(" ", "-"), data, sites, policy) as network:
            for name, grid, lines in questions.papers():
                add(counts, *network.ask(name, f"HDH-{name}", lines, grid), setting, name)
        world.row(setting, counts, time.time() - began)


def made_up(world, n, missing):
    """Patients drawn from the Rotterdam rows, each moved a little; with `missing`, 10 to 40 % of each covariate is lost."""
    g, rows, shares = random.Random(9), [], {}
    for i in range(n):
        row = dict(g.choice(world.rotterdam))
        row["pid"] = f"M{i:06d}"
        row["age"] = str(max(20, min(95, int(row["age"]) + g.randint(-2, 2))))
        row["year"] = str(int(row["year"]) + g.choice([-1, 0, 0, 1]))
        for name in ("pgr", "er"):
            row[name] = str(min(6000, round(float(row[name]) * math.exp(g.gauss(0, .3)))))
        row["nodes"] = str(max(0, int(row["nodes"]) + (g.choice([-1, 0, 0, 1]) if int(row["nodes"]) > 1 else 0)))
        later, follow_up = float(row["dtime"]), max(5, min(8900, round(float(row["dtime"]) * math.exp(g.gauss(0, .2)))))
        row["dtime"] = str(follow_up)
        row["rtime"] = str(max(1, min(follow_up, round(float(row["rtime"]) * follow_up / later))))
        rows.append(row)
    if missing:
        for k, name in enumerate(("size", "grade", "nodes", "pgr", "er", "meno")):
            shares[name] = 0.1 + 0.06 * k
        for row in rows:
            for name, share in shares.items():
                if g.random() < share:
                    row[name] = ""
    path = f"{world.folder}/made-up-{n}{'-missing' if missing else ''}.csv"
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, world.rotterdam[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return path, rows


def near(a, b):
    return 0 < len(a ^ b) < 11


def cohorts(world, data, rows, label, n, seeds):
    """Each seed is a researcher of her own network's epoch, one registration, one `describe` a cohort."""
    counts = {"answered": 0, "loss": 0, "refused": 0}
    again = theirs = 0
    began, setting = time.time(), f"{label} standard 6"
    typed = [questions.typed(row) for row in rows]
    for seed in seeds:
        shown = []
        with Network(world, f"{label}-{seed}".replace(" ", "-"), data, 6, "standard") as network:
            for i, (cohort, members) in enumerate(questions.cohorts(typed, seed, n)):
                lines = ([f"cohort: '{cohort}'"] if cohort else []) + ["analyses:", questions.one("x", "count", "by: chemo")]
                analyses, said = network.ask(f"c{i}", "HDH-cohorts", lines)
                add(counts, analyses, said, setting, f"seed {seed} no {i}")
                if analyses and judged(analyses[0]) == "refused":
                    theirs += any(near(members, other) for other in shown)
                else:
                    again += members in shown
                    shown.append(members)
    counts["note"] = f"{theirs} of the refused are near to one that was shown; {again} asked again"
    world.row(setting, counts, time.time() - began)


def afternoon(world):
    setting, counts, began = "afternoon standard 6", {"answered": 0, "loss": 0, "refused": 0}, time.time()
    with Network(world, "afternoon", ROTTERDAM + "rotterdam.csv", 6, "standard") as network:
        for i, lines in enumerate(questions.afternoon()):
            add(counts, *network.ask(f"rerun{i}", "HDH-afternoon", lines, missing="analysis"), setting, f"rerun {i}")
    world.row(setting, counts, time.time() - began)


def example(world):
    """The shipped study within the shipped registration."""
    setting, counts, began = "example strict 6", {"answered": 0, "loss": 0, "refused": 0}, time.time()
    with Network(world, "example", ROTTERDAM + "rotterdam.csv", 6, "strict") as network:
        register(world, network)
        path = f"{network.tmp}/study.yaml"
        with open(ROTTERDAM + "study.yaml", encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file: # strict wants it, as maille check says
            file.write(re.sub(r"(?m)^missing: analysis$", "missing: study", text))
        add(counts, *network.ask_file(path), setting, "study.yaml")
    world.row(setting, counts, time.time() - began)


def register(world, network):
    path = f"{network.tmp}/registration.yaml"
    with open(ROTTERDAM + "registration.yaml", encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(re.sub(r"(?m)^researchers:.*", "researchers: [researcher]", text))
    directory = f"{network.dir}/network.yaml"
    for words in (["register", "--network", directory, path],
                  ["sign", "--network", directory, "--key", f"{network.dir}/authority.key", "--credential", f"{network.dir}/credential"]):
        said = subprocess.run([network.maille, "network", *words], capture_output=True, text=True, timeout=60)
        if said.returncode != 0:
            sys.exit(f"expected a registration, found: {said.stderr}")
    with open(f"{network.dir}/coordinator/pid", encoding="utf-8") as file:
        os.kill(int(file.read()), 1)
    sites = sorted(os.listdir(f"{network.dir}/sites"))
    for _ in range(200):
        time.sleep(0.1)
        if all("HDH-0000" in open(f"{network.dir}/sites/{s}/network.yaml", encoding="utf-8").read() for s in sites):
            return
    sys.exit("expected the directory at every site within 20 s, found an older one")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin")
    parser.add_argument("folder")
    parser.add_argument("--only", default="papers,missing,cohorts,afternoon,example")
    parser.add_argument("--short", action="store_true")
    args = parser.parse_args()
    world, data = World(args.bin, args.folder), ROTTERDAM + "rotterdam.csv"
    parts = ["papers", "example"] if args.short else args.only.split(",")
    everywhere = [("strict", 6), ("standard", 6), ("strict", 18), ("standard", 18)]
    if "papers" in parts:
        papers(world, data, "papers", everywhere[:1] if args.short else everywhere)
    if "example" in parts:
        example(world)
    if "missing" in parts:
        papers(world, made_up(world, 22109, True)[0], "missing", [("strict", 6), ("standard", 6)])
    if "cohorts" in parts:
        cohorts(world, data, world.rotterdam, "cohorts 2982", 50, [1, 2])
        cohorts(world, *made_up(world, 22109, False), "cohorts 22109", 50, [1])
    if "afternoon" in parts:
        afternoon(world)
    world.table()
    return 1 if world.failed else 0


if __name__ == "__main__":
    sys.exit(main())
