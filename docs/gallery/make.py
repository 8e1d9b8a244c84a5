#!/usr/bin/env python3
"""make.py MAILLE: the pictures of docs/gallery.md and of README.md, from a real run.

Six sandbox sites answer examples/rotterdam/study.yaml and all-methods.yaml; the report's own figures and sections are
photographed by a browser. Needs chromium, fonts-liberation, poppler-utils (all from Debian 12). Run from the source folder."""
import os
import re
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
MAILLE = os.path.abspath(sys.argv[1])


def shoot(tmp, name, page, width, height, scale=1.0):
    source = os.path.join(tmp, "shot.html")
    with open(source, "w", encoding="utf-8") as out:
        out.write(page)
    out = os.path.join(HERE, name + ".png")
    subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--window-size={width},{height}",
                    f"--force-device-scale-factor={scale}", "--user-data-dir=" + os.path.join(tmp, "profile"),
                    "--screenshot=" + out, "file://" + source], check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    with open(out, "rb") as picture:
        size = struct.unpack(">II", picture.read(24)[16:24])
    print(f"{os.path.relpath(out)}: {size[0]} x {size[1]}, {os.path.getsize(out)} bytes")


def svg(path):
    return open(path, encoding="utf-8").read()


def head_of(report, more=""):
    style = "".join(re.findall(r"<style[^>]*>.*?</style>", report, re.S))
    return f'<!DOCTYPE html><html><head><meta charset="utf-8"/>{style}<style>{more}</style></head><body>'


def section(report, name):
    found = re.search(rf'<section id="a-{name}"[ >].*?</section>', report, re.S)[0]
    return re.sub(r"<details>.*?</details>", "", found, flags=re.S)


def main():
    with tempfile.TemporaryDirectory() as tmp:
        net = os.path.join(tmp, "net")
        run = lambda *words: subprocess.run([MAILLE, *words], check=True, stdout=subprocess.DEVNULL)
        run("sandbox", "up", "--dir", net, "--data", "examples/rotterdam/rotterdam.csv", "--dictionary",
            "examples/rotterdam/dictionary.yaml", "--sites", "6")
        try:
            for study in ("study", "all-methods"):
                run("sandbox", "run", "--dir", net, f"examples/rotterdam/{study}.yaml", "--json", f"{tmp}/{study}.json",
                    "--report", f"{tmp}/{study}.html")
                run("report", f"{tmp}/{study}.json", "--figures", f"{tmp}/{study}")
        finally:
            run("sandbox", "down", "--dir", net)
        report = open(f"{tmp}/study.html", encoding="utf-8").read()
        plain = '<!DOCTYPE html><html><head><meta charset="utf-8"/><style>body{margin:12px;background:#fff;display:flex;' \
                'gap:18px;align-items:flex-start}</style></head><body>'
        shoot(tmp, "answer", plain + svg(f"{tmp}/study/os.svg") + svg(f"{tmp}/study/cox.svg"), 1486, 540)
        shoot(tmp, "km", plain + svg(f"{tmp}/study/os.svg"), 744, 510, 1.5)
        shoot(tmp, "forest", plain + svg(f"{tmp}/study/cox.svg"), 744, 530, 1.5)
        shoot(tmp, "subgroups", plain + svg(f"{tmp}/all-methods/effect-subgroups.svg"), 744, 400, 1.5)
        shoot(tmp, "incidence", plain + svg(f"{tmp}/all-methods/causes.svg"), 744, 510, 1.5)
        shoot(tmp, "balance", plain + svg(f"{tmp}/all-methods/balance.svg") + svg(f"{tmp}/all-methods/balance-overlap.svg"), 1486, 370)
        shoot(tmp, "grey", plain.replace("background:#fff", "background:#fff;filter:grayscale(1)") + svg(f"{tmp}/study/os.svg"),
              744, 510)
        shoot(tmp, "table1", head_of(report, "body{padding:0 1.2rem;margin:0}h2{margin-top:.4rem;border:0}")
              + section(report, "table1"), 800, 620, 1.5)
        for name, more in (("phone", ""), ("dark", "")):
            inner = os.path.join(tmp, name + "-inner.html")
            page = head_of(report) + section(report, "os") + section(report, "cox")
            if name == "dark":  # the browser of this machine is light
                page = page.replace('media="screen and (prefers-color-scheme:dark)"', "")
            open(inner, "w", encoding="utf-8").write(page)
        frames = "".join(f'<iframe src="{n}-inner.html" style="width:360px;height:820px;border:1px solid #888"></iframe>'
                         for n in ("phone", "dark"))
        shoot(tmp, "phone", plain + frames, 764, 848)
        subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer",
                        "--user-data-dir=" + os.path.join(tmp, "profile"), f"--print-to-pdf={tmp}/report.pdf",
                        f"file://{tmp}/study.html"], check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        subprocess.run(["pdftoppm", "-r", "60", "-png", f"{tmp}/report.pdf", f"{tmp}/page"], check=True)
        pages = sorted(p for p in os.listdir(tmp) if p.startswith("page-"))
        images = "".join(f'<img src="{p}" style="border:1px solid #999"/>' for p in pages[:1] + pages[4:6])
        shoot(tmp, "print", plain + images, 1572, 730)


main()
