"""What a long past costs: a question of two groups to 18 real sites, without one and after 500 questions of 100 groups each.

    python3 -B tests/load/past.py BIN FOLDER [SITES [TURNS]]

Each site's ledger is replaced by one of 500 questions of 100 groups (load_past), of which none is another's. Prints the milliseconds of
TURNS (3) questions before and after, as the result files say them. Loopback addresses alone; takes its network down."""
import json
import os
import statistics
import subprocess
import sys

import week

STUDY = week.STUDY + '  - { id: old, method: count, by: [sex], cohort: "age >= 50" }\n'


def ask(box, name, turns):
    took = []
    for turn in range(turns):
        study, result = f"{box.folder}/{name}-{turn}.yaml", f"{box.folder}/{name}-{turn}.json"
        with open(study, "w") as out:
            out.write(STUDY % turn)
        failed = box.run("run", study, "--approve", "--json", result)
        if failed:
            sys.exit(f"expected an answer, found: {failed}")
        answer = json.load(open(result))
        if any(a["status"] != "ok" for a in answer["analyses"]):
            sys.exit(f"expected two answers, found: {[(a['status'], a.get('rule')) for a in answer['analyses']]}")
        took.append(answer["elapsed_ms"])
    return took


def main():
    bin_, folder = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    sites, turns = (int(a) for a in (sys.argv[3:] + ["18", "3"][len(sys.argv) - 3:]))
    box = week.Sandbox(bin_, folder, "--policy", "standard", sites=sites, patients=90 * sites)
    try:
        before = ask(box, "before", turns)
        box.down()
        subprocess.run([bin_ + "/load_past", folder + "/ledger", str(sites)], check=True)
        ledger = open(folder + "/ledger", "rb").read()
        for site in sorted(os.listdir(box.net + "/sites")):
            state = f"{box.net}/sites/{site}/state/ledger"
            for leftover in ("-wal", "-shm"):
                if os.path.exists(state + leftover):
                    os.remove(state + leftover)
            with open(state, "wb") as out:
                out.write(ledger)
        failed = box.run("restart")
        if failed:
            sys.exit(f"expected a sandbox, found: {failed}")
        after = ask(box, "after", turns)
        print(f"{sites} sites, a question of two groups: {statistics.median(before)} ms, after 500 of 100 groups {statistics.median(after)} ms ({before}, {after})")
    finally:
        box.down()


if __name__ == "__main__":
    main()
