#!/usr/bin/env python3
"""officer.py TMP CHROMIUM: the officer's pages TMP/page.en and page.fr (tests/e2e/officer.sh wrote them).

Seven questions are answered with at most three clicks, in a browser; nothing runs or is fetched; what access.py asks of
a report holds of them too. Without a browser (CHROMIUM empty) only the files are looked at."""
import html
import json
import os
import re
import subprocess
import sys

from access import DARK, look

# What must stand where a question leads: words of the section, after so many clicks.
ANSWERS = {
    "#last-month": ["2"],
    "#left": ["part", "after", "chemo"],
    "#refused": ["tiny", "finest_grid", "no ethics opinion", "a complaint"],
    "#register": ["100–499", "part", "denied", "research-public-interest; MR-004; HDH-0000"],
    "#snapshots": ["site-1, 1", "after"],
    "#open": ["waits", "maille-worker stop "],
    "#programs": ["maille 0."],
}
CLICKS = r"""
const said = {};
for (const a of document.querySelectorAll('#questions a')) {
  let clicks = 1;
  a.click();
  const target = document.getElementById(location.hash.slice(1));
  const summary = target.querySelector('summary');
  if (summary) { summary.click(); clicks++; }
  const hidden = [...target.querySelectorAll('td, th, li, code')].filter(e => !e.checkVisibility());
  said[a.getAttribute('href')] = {clicks, text: target.innerText, hidden: hidden.length};
}
const out = document.createElement('pre');
out.id = 'found';
out.textContent = JSON.stringify(said);
document.body.append(out);
"""
faults = []


def fault(*words):
    faults.append(" ".join(str(w) for w in words))


def static(folder):
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".html"):
            continue
        text = open(os.path.join(folder, name), encoding="utf-8").read()
        if re.search(r"<script|<iframe|<img|<link|<form|\son[a-z]+=|https?:|javascript:|url\(", text):
            fault(folder, name, "runs or fetches something")
        if "default-src &#39;none&#39;" not in text and "default-src 'none'" not in text:
            fault(folder, name, "no policy that holds the browser to it")
        for href in re.findall(r'href="([^"#]+)"', text):
            if not os.path.exists(os.path.join(folder, html.unescape(href))):
                fault(folder, name, "leads to nothing:", href)
    index = open(os.path.join(folder, "index.html"), encoding="utf-8").read()
    studies = [n for n in os.listdir(folder) if n.startswith("study-")]
    numbers = [n for n in studies if 'td class="r"' in open(os.path.join(folder, n), encoding="utf-8").read()]
    if len(studies) < 6 or not numbers:
        fault(folder, "expected a page for each study and numbers with her key, found", len(studies), len(numbers))
    if "register.csv" not in index:
        fault(folder, "no register beside the page")
    return index


def in_browser(chromium, tmp, folder, index):
    path = os.path.join(tmp, "clicks.html")
    with open(path, "w", encoding="utf-8") as out:
        out.write(unguarded(index).replace("</body>", f"<script>{CLICKS}</script></body>"))
    dom = subprocess.run([chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
                          "--user-data-dir=" + os.path.join(tmp, "profile"), "--dump-dom", "file://" + os.path.abspath(path)],
                         capture_output=True, text=True, timeout=100, check=True).stdout
    said = json.loads(html.unescape(re.search(r'<pre id="found">(.*?)</pre>', dom, re.S)[1]))
    if set(said) != set(ANSWERS):
        fault("questions:", sorted(said))
    for question, words in ANSWERS.items():
        answer = said.get(question, {"clicks": 9, "text": "", "hidden": 0})
        if answer["clicks"] > 3 or answer["hidden"] > 0:
            fault(question, "takes", answer["clicks"], "clicks,", answer["hidden"], "cells are hidden")
        if folder.endswith(".en"):
            for word in words:
                if word not in answer["text"]:
                    fault(question, "does not say", repr(word), "but", repr(answer["text"][:400]))


def unguarded(page):
    """Without the policy that forbids scripts: the test's own must run."""
    return re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)


def access(chromium, tmp, name, page):
    said = look(chromium, tmp, name, unguarded(page))
    print(f"{name}: {len(said['found'])} faults; least contrast {said['least']:.2f}; {said['counts']}")
    for criterion, what, where in {tuple(f) for f in said["found"]}:
        fault(name, criterion, what, repr(where))


def main():
    tmp, chromium = sys.argv[1], sys.argv[2]
    pages = {lang: static(os.path.join(tmp, "page." + lang)) for lang in ("en", "fr")}
    red = open(os.path.join(tmp, "page.red", "index.html"), encoding="utf-8").read()
    if "NOT SOUND" not in red or "MR-004" in red or os.path.exists(os.path.join(tmp, "page.red", "study-0001.html")):
        fault("of a log that is not sound more is told than that")
    if 'lang="fr"' not in pages["fr"] or re.search(r"\b(answered|refused by|What left|sound|objects|withdrawn)\b", re.sub("<[^>]+>", " ", pages["fr"])):
        fault("the French page has English words")
    if chromium:
        for lang, index in pages.items():
            in_browser(chromium, tmp, os.path.join(tmp, "page." + lang), index)
        access(chromium, tmp, "officer-fr-light", pages["fr"])
        access(chromium, tmp, "officer-en-dark", pages["en"].replace(DARK, ""))
        study = open(os.path.join(tmp, "page.en", "study-0001.html"), encoding="utf-8").read()
        access(chromium, tmp, "officer-study-light", study)
    else:
        print("no browser: only the files were looked at")
    for words in faults:
        print("  " + words)
    sys.exit(1 if faults else 0)


main()
