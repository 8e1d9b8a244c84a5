#!/usr/bin/env python3
"""browser.py MAILLE CHROMIUM TMP [RESULT.json …]: no text of a figure touches another or leaves its figure.

Each result file becomes a page; a real browser lays it out, with the figures for a page and for a telephone, and
getBBox says where every text is. Prints each pair that overlaps."""
import html
import json
import os
import re
import subprocess
import sys

SCRIPT = """
<style>.wide,.narrow{display:block !important}</style>
<pre id="found"></pre>
<script>
const found = [];
let texts = 0, figures = 0;
for (const svg of document.querySelectorAll('svg.fig')) {
  figures++;
  const name = svg.closest('[data-file]').dataset.file + '/' + svg.querySelector('desc').id.replace(/-d$/, ''), view = svg.viewBox.baseVal;
  const boxes = [...svg.querySelectorAll('text')].map(t => [t.textContent, t.getBBox()]);
  texts += boxes.length;
  boxes.forEach(([a, p], i) => {
    if (p.x < -0.5 || p.y < -0.5 || p.x + p.width > view.width + 0.5 || p.y + p.height > view.height + 0.5)
      found.push([name, 'leaves the figure', a]);
    boxes.slice(i + 1).forEach(([b, q]) => {
      const x = Math.min(p.x + p.width, q.x + q.width) - Math.max(p.x, q.x);
      const y = Math.min(p.y + p.height, q.y + q.height) - Math.max(p.y, q.y);
      if (x > 0.5 && y > 1.5 && a && b) found.push([name, 'touch', a, b]);
    });
  });
}
document.getElementById('found').textContent = JSON.stringify({figures, texts, found,
  font: getComputedStyle(document.querySelector('svg.fig text')).fontFamily});
</script>
"""


def main():
    maille, chromium, tmp, results = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    os.makedirs(tmp, exist_ok=True)
    head, mains = "", ""
    for result in results:  # one page of them all: a browser starts slowly
        page = os.path.join(tmp, "page.html")
        subprocess.run([maille, "report", result, "--out", page], check=True)
        text = open(page, encoding="utf-8").read()
        head = text[:text.index("<body>")]
        name = os.path.basename(result).replace(".json", "")
        mains += f'<div data-file="{name}">' + text[text.index("<main>"):text.index("</main>")] + "</main></div>"
    page = os.path.join(tmp, "test.html")
    with open(page, "w", encoding="utf-8") as out:
        out.write(head + "<body>" + mains + SCRIPT + "</body></html>")
    dom = subprocess.run([chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
                          "--user-data-dir=" + os.path.join(tmp, "profile"), "--window-size=1200,900", "--dump-dom",
                          "file://" + os.path.abspath(page)], capture_output=True, text=True, timeout=100, check=True).stdout
    said = json.loads(html.unescape(re.search(r'<pre id="found">(.*?)</pre>', dom, re.S)[1]))
    print(f"{said['figures']} figures, {said['texts']} texts, {len(said['found'])} faults, in {said['font']}")
    for fault in said["found"]:
        print("  " + ": ".join(fault[:2]) + ": " + " | ".join(repr(t) for t in fault[2:]))
    sys.exit(1 if said["found"] or said["figures"] < 10 * len(results) or said["texts"] < 400 * len(results) else 0)


main()
