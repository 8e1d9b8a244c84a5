"""Attacks A1 to A13 on a sandbox of real processes: attacks.py BIN FOLDER POLICY [--all] [--only ATTACK] [--without KEY]

The enemy has a good key and knows the truth. Each attack is asked in many spellings (spellings.py), and what comes back is read as he would
read it (reading.py). An attack that learns more than "fewer than the limit" fails the test, unless known.py lists it as what is left; that
is printed. Under the policy `open` all of them must learn something, and so must those of --only where the rule that stops them is taken out
of the policy (--without max_patient_share): else they are no attacks.
"""
import argparse
import collections
import os
import pathlib
import re
import shutil
import time

import campaigns
import known
import registry
import spellings
from researcher import Network, rules

# Nobody is asked of groups by fine cuts: each attack meets the rules that count.
POLICIES = {"strict": "policy: strict\napproval: auto\nfine_predicates: allow\n", "standard": "policy: standard\nfine_predicates: allow\n",
            "open": "policy: open\n"}
TABLES, MODELS = 24, 10  # analyses of one protocol: within the budgets, and below what closes a registration


class Book:
    """What became of each spelling."""

    def __init__(self, policy, without=None):
        self.policy, self.bare, self.rows, self.faults = policy, policy == "open" or without is not None, [], []

    def note(self, attack, name, learnt, stopped, blunt=False):
        spelling = f"{attack} {name}"
        left = known.left(self.policy, attack, name)
        if self.bare:
            if learnt is None and not blunt:
                self.faults.append(f"{spelling}: no attack: without rules nothing was learnt ({', '.join(sorted(stopped))})")
            verdict = "learnt"
        elif learnt is None:
            verdict = "stopped" if left is None else "stopped now"
            wanted = known.rules_of(attack, name)
            if left is None and not stopped & wanted:
                self.faults.append(f"{spelling}: expected to be stopped by one of {sorted(wanted)}, found {sorted(stopped)}")
        elif left is not None:
            verdict = "LEFT"
        else:
            verdict = "LEARNT"
            self.faults.append(f"{spelling}: {learnt}")
        self.rows.append((spelling, verdict, ", ".join(sorted(stopped)) or "-", learnt or "", left if verdict == "LEFT" else None))

    def end(self, asked, seconds, cpu):
        for spelling, verdict, stopped, learnt, left in self.rows:
            print(f"{self.policy:9} {verdict:12} {spelling:28} {stopped:32} {learnt[:110]}{f' (left: {left})' if left else ''}")
        counts = collections.Counter(row[1] for row in self.rows)
        print(f"{self.policy}: {len(self.rows)} spellings, {asked} studies, {seconds:.0f} s, CPU {cpu:.0f} s: " + ", ".join(f"{n} {v}" for v, n in counts.items()))
        for fault in self.faults:
            print("FAILED:", fault)
        return 1 if self.faults else 0


def chunks(list_of_spellings):
    """Those that are asked under one protocol: of one attack, tables and models apart."""
    rooms = {}
    for spelling in list_of_spellings:
        n = len(spelling.worlds) * sum(not isinstance(line, dict) for step in spelling.steps for line in step)
        key = spelling.attack, spelling.model
        room = rooms.setdefault(key, [[]])
        used = sum(n for _, n in room[-1])
        if used + n > (MODELS if spelling.model else TABLES) and room[-1]:
            room.append([])
        room[-1].append((spelling, n))
    return [(f"{attack.lower()}-{'models' if is_model else 'tables'}-{i}", [s for s, _ in chunk])
            for (attack, is_model), room in rooms.items() for i, chunk in enumerate(room)]


def filled(line, ward, step, index):
    """A line for one ward, and the derived variables that it names."""
    own = step[0] if isinstance(step[0], dict) else {}
    condition = f'ward == "{ward}"'
    if "{g}" in line:
        line = line.replace("{g}", own["g"])
    line = line.replace("{ward}", condition) if "cohort:" in line else f"{line}, cohort: '{condition}'"
    derive = {}
    head = line.split(", cohort:")[0]
    for name, expression in own.items():
        head = re.sub(rf"\b{name}\b", f"{name}_{index}", head)
        derive[f"{name}_{index}"] = expression
    for name, expression in spellings.DERIVE.items():
        if name not in own and re.search(rf"\b{name}\b", head):
            derive[name] = expression
    return head + line[len(line.split(", cohort:")[0]):], derive


def without_ward(value, ward):
    """An answer in which neither the ward nor its world has a name: `earlier` names an analysis of her own."""
    if isinstance(value, str):
        return re.sub(r"^s(\d+)w\d+n", r"s\1n", value.replace(ward, "WARD"))
    if isinstance(value, list):
        return [without_ward(v, ward) for v in value]
    return {k: without_ward(v, ward) for k, v in value.items()} if isinstance(value, dict) else value


def ask_chunk(book, network, name, chunk, wards, truth):
    answers = {id(spelling): [[] for _ in spelling.worlds] for spelling in chunk}
    for turn in range(max(len(spelling.steps) for spelling in chunk)):
        lines, derive, places = {}, {}, []
        for index, spelling in enumerate(chunk):
            if turn >= len(spelling.steps):
                continue
            for world, _ in enumerate(spelling.worlds):
                ward = wards[id(spelling)][world]
                answers[id(spelling)][world].append([])
                for n, line in enumerate(line for line in spelling.steps[turn] if not isinstance(line, dict)):
                    key = f"s{index}w{world}n{n}"
                    lines[key], more = filled(line, ward, spelling.steps[turn], index)
                    derive |= more
                    places.append((key, spelling, world, ward))
        given = network.ask(f"{name}-{turn}", lines, derive, protocol=f"HDH-{name}")
        for key, spelling, world, ward in places:
            answers[id(spelling)][world][-1] += [without_ward(answer, ward) for name, answer in given.items() if f"{name}-".startswith(f"{key}-")]
    for spelling in chunk:
        worlds = answers[id(spelling)]
        learnt = spelling.read(worlds, [truth[ward] for ward in wards[id(spelling)]])
        book.note(spelling.attack, spelling.name, learnt, rules(a for world in worlds for step in world for a in step), spelling.blunt)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin")
    parser.add_argument("folder")
    parser.add_argument("policy", choices=POLICIES)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--only")
    parser.add_argument("--without", help="a key of the policy that is set to off")
    asked = parser.parse_args()
    began, folder = time.time(), pathlib.Path(asked.folder).resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    chosen = [s for s in spellings.ALL if (asked.all or not s.late) and asked.only in (None, s.attack)]
    wards, rows = {}, []
    for k, spelling in enumerate(chosen):
        wards[id(spelling)] = [f"w{k}{'ab'[i]}" for i in range(len(spelling.worlds))]
        rows += [(name, k, spelling.size + (2 * k if spelling.size >= 100 else 0), target, spelling.others) for name, target in zip(wards[id(spelling)], spelling.worlds)]
    book = Book(asked.policy, asked.without)
    network = Network(asked.bin, folder, POLICIES[asked.policy] + (f"{asked.without}: off\n" if asked.without else ""))
    truth = registry.write(folder, rows + campaigns.wards())
    network.up()
    try:
        if asked.only in (None, "A8"):
            campaigns.before(book, network, truth)
        for name, chunk in chunks(chosen):
            ask_chunk(book, network, name, chunk, wards, truth)
        campaigns.run(book, network, truth, asked.all or asked.policy == "strict", asked.only)
        cpu = network.cpu_seconds() + sum(os.times()[:4])
    finally:
        network.down()
    return book.end(network.asked, time.time() - began, cpu)


if __name__ == "__main__":
    raise SystemExit(main())
