#!/usr/bin/env python3
"""golden.py MAILLE TMP [--update]: the figures of plain.json and withheld.json, byte for byte, against golden/; and that PDF
and PNG of them are such. --update takes what is drawn now as right: look at it first."""
import glob
import os
import shutil
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
maille, tmp = sys.argv[1:3]
shutil.rmtree(tmp, ignore_errors=True)


def draw(name, form):
    folder = os.path.join(tmp, form, name)
    # fontconfig keeps its caches to the end, which LeakSanitizer counts against whoever draws letters
    more = {} if form == "svg" else {"ASAN_OPTIONS": "detect_leaks=0"}
    subprocess.run([maille, "report", f"{HERE}/{name}.json", "--figures", folder, "--format", form], check=True,
                   env={**os.environ, **more})
    return sorted(glob.glob(folder + "/*." + form))


def fail(text):
    global status
    print(text)
    status = 1


status = 0
for name in ("plain", "withheld"):
    golden = os.path.join(HERE, "golden", name)
    drawn = draw(name, "svg")
    if "--update" in sys.argv:
        shutil.rmtree(golden, ignore_errors=True)
        shutil.copytree(os.path.dirname(drawn[0]), golden)
    names = {os.path.basename(path) for path in drawn}
    for path in sorted(names ^ set(os.listdir(golden))):
        fail(f"{name}/{path} is drawn or golden, not both")
    for path in sorted(names & set(os.listdir(golden))):
        got, want = (open(os.path.join(folder, path), "rb").read() for folder in (os.path.dirname(drawn[0]), golden))
        if got != want:
            fail(f"{name}/{path} is drawn otherwise: compare {os.path.dirname(drawn[0])}/{path} with {golden}/{path}")
for path in draw("plain", "pdf"):
    if not open(path, "rb").read().startswith(b"%PDF-1."):
        fail(f"{path} is no PDF")
for path in draw("plain", "png"):
    head = open(path, "rb").read(24)
    if head[:8] != b"\x89PNG\r\n\x1a\n" or struct.unpack(">I", head[16:20])[0] != 2250:  # 7.5 inches of 300 dots
        fail(f"{path} is no PNG of 2250 dots")
print("as golden" if status == 0 else "python3 tests/figures/golden.py MAILLE TMP --update, once you have looked")
sys.exit(status)
