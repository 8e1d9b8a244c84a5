"""Questions beside a flood of connections: real processes of a sandbox, and load_flood (flood.c) at its coordinator.

    python3 -B tests/load/flood.py BIN FOLDER [KNOWN [STRANGERS [SECONDS [FLOODS]]]]

KNOWN (50) peers of the directory hang up and dial anew every few seconds, STRANGERS (20) that it does not know dial
without end, for SECONDS (6), FLOODS (2) times. Questions are asked one after the other, before and meanwhile: each must be
answered. After each flood the coordinator has its descriptors back. After the first it holds at most 16 MB and 128 kB a
known peer more (what was freed stays in a process), after the last at most 16 MB more than after the one before. Loopback
addresses alone; it ends by itself, and takes its network down."""
import os
import select
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import week  # noqa: E402

BACK_S, BEFORE = 90, 5
FIRST_KB, EACH_KB, AGAIN_KB = 16384, 128, 16384


def main():
    bin_, folder = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    known, strangers, seconds, floods = (int(sys.argv[i]) if len(sys.argv) > i else d for i, d in ((3, 50), (4, 20), (5, 6), (6, 2)))
    box = week.Sandbox(bin_, folder)
    bad, times = [], {"before": [], "meanwhile": []}

    def ask(when, n):
        began = time.time()
        failed = box.ask(n)
        times[when].append(time.time() - began)
        if failed:
            bad.append(f"question {n} ({when}): {failed}")

    try:
        for n in range(BEFORE):
            ask("before", n)
        coordinator = next(pid for pid, name in week.processes(box.net).items() if name.startswith("coordinator"))
        before = most = week.held(coordinator)
        flood = subprocess.Popen([bin_ + "/load_flood", box.net, str(known), str(strangers), str(seconds)], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, text=True)
        flood.stdout.readline()
        n, after = BEFORE, [before]
        for wave in range(floods):
            if wave > 0:
                flood.stdin.write("again\n")
                flood.stdin.flush()
            while not select.select([flood.stdout], [], [], 0)[0]:
                ask("meanwhile", n)
                n += 1
                most = tuple(map(max, most, week.held(coordinator)))
            print(flood.stdout.readline().strip())
            until = time.time() + BACK_S
            while time.time() < until and week.held(coordinator)[1] > before[1]:
                time.sleep(0.5)
            after.append(week.held(coordinator))
            if after[-1][1] > before[1]:
                bad.append(f"expected {before[1]} descriptors again, found {after[-1][1]}")
        flood.stdin.close()
        if flood.wait() != 0:
            bad.append(f"load_flood ended with {flood.returncode}")
        for when in times:
            t = sorted(times[when])
            print(f"{len(t)} questions {when}: {t[len(t) // 2]:.2f} s (median), {t[-1]:.2f} s at most")
        print("the coordinator, before, after each flood, and at most: " + ", ".join(f"{kb} kB and {fds} descriptors" for kb, fds in after + [most]))
        if after[1][0] - before[0] > FIRST_KB + known * EACH_KB:
            bad.append(f"expected at most {FIRST_KB + known * EACH_KB} kB more after the first flood, found {after[1][0] - before[0]}")
        if after[-1][0] - after[-2][0] > AGAIN_KB:
            bad.append(f"expected at most {AGAIN_KB} kB more after the last flood than after the one before, found {after[-1][0] - after[-2][0]}")
    finally:
        box.down()
    for line in bad[:10]:
        print(line, file=sys.stderr)
    if not bad:
        shutil.rmtree(folder)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
