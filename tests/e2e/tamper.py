"""What somebody who holds a site's disk could do to its log.

tamper.py cut-at-seal FROM TO            a copy without what stands behind the first seal
tamper.py flip FROM TO                   a copy with one bit turned, in the longest entry
tamper.py random FROM TO N COMMAND…      N random changes, each to a fresh copy; COMMAND must end with status 1 every time
"""
import os, random, shutil, struct, subprocess, sys

HEADER = 26  # "maille-log 2 NUMBER\n"


def frames(data):
    """[(kind, begin, end)] of the whole frames."""
    at, found = HEADER, []
    while at + 5 <= len(data):
        kind, length = data[at:at + 1], struct.unpack("<I", data[at + 1:at + 5])[0]
        found.append((kind, at, at + 5 + length))
        at += 5 + length
    return found


def copy(source, to):
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(source, to)


def write(to, data):
    with open(os.path.join(to, "messages.log"), "wb") as out:
        out.write(data)


def cut_at_seal(data):
    found = frames(data)
    for i, (kind, begin, end) in enumerate(found):
        # A record's way stands behind sequence, time and epoch; 4 is a seal. Its checkpoint is the next frame.
        if kind == b"L" and data[begin + 5 + 24] == 4:
            return data[:found[i + 1][2]]
    raise SystemExit("no seal in the log")


def tamper(rng, data):
    """One change and its name; bytes that differ from data."""
    found = frames(data)
    while True:
        what = rng.choice(["bit", "cut", "end", "remove", "swap", "twice", "bytes"])
        i, j = rng.randrange(len(found)), rng.randrange(len(found))
        _, begin, end = found[i]
        _, other, other_end = found[j]
        if what == "bit":
            at = rng.randrange(len(data))
            made = data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1:]
        elif what == "bytes":
            at = rng.randrange(len(data))
            made = data[:at] + rng.randbytes(rng.randrange(1, 40)) + data[at:]
        elif what == "cut":
            at = rng.randrange(len(data))
            made = data[:at] + data[at + rng.randrange(1, 400):]
        elif what == "end":
            made = data[:rng.choice([rng.randrange(HEADER, len(data)), begin])]
        elif what == "remove":
            made = data[:begin] + data[end:]
        elif what == "twice":
            made = data[:end] + data[begin:end] + data[end:]
        else:
            if other < begin:
                begin, end, other, other_end = other, other_end, begin, end
            made = data[:begin] + data[other:other_end] + data[end:other] + data[begin:end] + data[other_end:]
        if made != data:
            return what, made


def main():
    source, to = sys.argv[2:4]
    with open(os.path.join(source, "messages.log"), "rb") as file:
        data = file.read()
    copy(source, to)
    if sys.argv[1] == "cut-at-seal":
        write(to, cut_at_seal(data))
        return 0
    if sys.argv[1] == "flip":
        _, begin, end = max(frames(data), key=lambda frame: frame[2] - frame[1])
        at = (begin + end) // 2  # in the words of an entry: a bit in its time would take it out of its epoch as well
        write(to, data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])
        return 0
    seed = int(os.environ.get("MAILLE_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
    rng = random.Random(seed)
    counts, missed = {}, 0
    for n in range(int(sys.argv[4])):
        what, made = tamper(rng, data)
        write(to, made)
        done = subprocess.run(sys.argv[5:], capture_output=True, text=True, check=False)
        counts[what] = counts.get(what, 0) + 1
        if done.returncode != 1 or "NOT SOUND" not in done.stdout + done.stderr:
            missed += 1
            print(f"number {n} of seed {seed} ({what}) gave status {done.returncode}: {done.stdout}{done.stderr}")
    print(f"{sum(counts.values())} changes ({', '.join(f'{k} {v}' for k, v in sorted(counts.items()))}), {missed} not found; seed {seed}")
    return 1 if missed else 0


sys.exit(main())
