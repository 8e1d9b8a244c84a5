#!/usr/bin/env python3
"""access.py MAILLE CHROMIUM TMP RESULT.json …: can a report be read without eyes, without a mouse, and in both themes?

No checker such as axe is in Debian: what it would find is asked of Chromium itself, of its tree for screen readers
(computedRole, computedName) and of its styles. Prints each fault with the criterion of WCAG 2.2 that it breaks."""
import html
import json
import os
import re
import subprocess
import sys

SCRIPT = r"""
const found = [], counts = {};
const fault = (criterion, what, where) => found.push([criterion, what, where]);
const count = (name, n = 1) => counts[name] = (counts[name] || 0) + n;
const all = (selector, from = document) => [...from.querySelectorAll(selector)];
const said = e => (e.textContent || '').trim().slice(0, 60) || e.outerHTML.slice(0, 80);
const shown = e => e.checkVisibility ? e.checkVisibility({checkVisibilityCSS: true}) : e.getClientRects().length > 0;
if (document.body.computedRole === undefined) fault('test', 'this browser does not tell its accessibility tree', '');

// Language, title, headings in order.
if (!document.documentElement.lang) fault('3.1.1', 'no language', 'html');
if (!document.title.trim()) fault('2.4.2', 'no title', 'title');
let level = 0;
for (const h of all('h1,h2,h3,h4,h5,h6')) {
  const own = +h.tagName[1];
  if (own > level + 1) fault('1.3.1', `heading of level ${own} after one of level ${level}`, said(h));
  if (!h.textContent.trim()) fault('2.4.6', 'an empty heading', h.outerHTML.slice(0, 60));
  level = own;
  count('headings');
}
if (all('h1').length !== 1) fault('1.3.1', `${all('h1').length} headings of level 1`, 'h1');

// Landmarks: one of each, named where there may be several; nothing stands outside of them.
const roles = {};
for (const e of all('body *')) if (['banner', 'main', 'navigation', 'contentinfo'].includes(e.computedRole)) (roles[e.computedRole] ||= []).push(e);
for (const role of ['banner', 'main', 'navigation', 'contentinfo']) {
  if ((roles[role] || []).length !== 1) fault('1.3.1', `${(roles[role] || []).length} landmarks ${role}`, 'body');
  count('landmarks');
}
for (const e of roles.navigation || []) if (!e.computedName) fault('2.4.1', 'a navigation without a name', said(e));
for (const e of document.body.children)
  if (!['SCRIPT', 'STYLE', 'PRE'].includes(e.tagName) && !['banner', 'main', 'navigation', 'contentinfo'].includes(e.computedRole))
    fault('1.3.1', 'outside of every landmark', said(e));
for (const section of all('main > section')) {
  if (section.computedRole !== 'region' || !section.computedName) fault('1.3.1', 'a section without a name', said(section));
  count('sections');
}

// Tables: a name, a scope for each header, no empty header, no cell that says nothing by its look alone.
for (const table of all('table')) {
  if (shown(table) && !table.computedName) fault('1.3.1', 'a table without a name', said(table));
  for (const th of all('th', table)) {
    if (!['col', 'row', 'colgroup', 'rowgroup'].includes(th.scope)) fault('1.3.1', 'a header without scope', said(th));
    if (!th.textContent.trim()) fault('1.3.1', 'an empty header', said(th.parentElement));
  }
  for (const td of all('td.h', table)) if (!td.textContent.trim()) fault('1.1.1', 'withheld, said by a pattern alone', said(td.parentElement));
  count('tables');
}

// Pictures: role, title and description.
for (const svg of all('svg')) {
  const title = svg.querySelector('title'), desc = svg.querySelector('desc'), by = (svg.getAttribute('aria-labelledby') || '').split(' ');
  if (svg.getAttribute('role') !== 'img') fault('1.1.1', 'a picture without role', said(svg));
  if (!title || !title.textContent.trim() || !desc || !desc.textContent.trim()) fault('1.1.1', 'a picture without title or description', said(svg));
  for (const id of by) if (!document.getElementById(id)) fault('1.1.1', `a picture labelled by nothing (${id})`, said(svg));
  if (shown(svg) && (!svg.computedName || !['img', 'image'].includes(svg.computedRole))) fault('1.1.1', `a picture that a reader takes for ${svg.computedRole}`, said(svg));
  count('pictures');
}
const ids = {};
for (const e of all('[id]')) if ((ids[e.id] = (ids[e.id] || 0) + 1) === 2) fault('4.1.2', 'an id twice', e.id);

// A window that has not been given the focus yet shows none: it is looked at again (look() below).
const focused = document.hasFocus();

// Keyboard: in the order of the page, each with a name and a visible focus; what scrolls can be reached; links lead somewhere.
for (const e of all('a[href],summary,[tabindex]')) {
  if (e.tabIndex > 0) fault('2.4.3', 'out of the order of the page', said(e));
  if (!shown(e)) continue;
  if (!e.computedName) fault('4.1.2', 'can be reached and has no name', e.outerHTML.slice(0, 80));
  e.focus();
  const style = getComputedStyle(e);
  if (document.activeElement !== e) fault('2.1.1', 'cannot be reached', said(e));
  else if (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) === 0) fault('2.4.7', 'a focus that is not seen', said(e));
  count('stops');
}
for (const a of all('a[href^="#"]')) if (!document.getElementById(a.getAttribute('href').slice(1))) fault('2.4.4', 'a link to nowhere', a.outerHTML);
for (const e of all('body *')) {
  const style = getComputedStyle(e);
  if (['auto', 'scroll'].includes(style.overflowX) && shown(e) && e.tabIndex < 0 && !e.matches('pre,textarea')) fault('2.1.1', 'scrolls by mouse alone', said(e));
}

// Contrast: of text 4.5 (large: 3), of what a figure says by lines and areas 3.
const channel = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const ratio = (a, b) => { const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
const rgba = text => { const n = (text.match(/[\d.]+/g) || []).map(Number); return n.length === 3 ? [...n, 1] : n; };
const ground = e => {
  for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); if (c.length === 4 && c[3] === 1) return c; }
  return [255, 255, 255, 1];
};
let least = 21, least_drawn = 21;
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let node; node = walker.nextNode();) {
  const e = node.parentElement;
  if (!node.data.trim() || !shown(e) || ['SCRIPT', 'STYLE', 'TITLE', 'title', 'desc'].includes(e.tagName) || e.closest('#found')) continue;
  const style = getComputedStyle(e), svg = e.tagName === 'text', colour = rgba(svg ? style.fill : style.color), size = parseFloat(style.fontSize);
  const need = size >= 24 || (size >= 18.66 && +style.fontWeight >= 700) ? 3 : 4.5, r = ratio(colour, ground(e));
  least = Math.min(least, r);
  if (r < need) fault('1.4.3', `contrast ${r.toFixed(2)} where ${need} is needed`, said(e));
  count('texts');
}
for (const e of all('svg .k, svg .a, svg .ci, svg .i, svg .r, svg [class^=c], svg .h2')) {
  if (!shown(e)) continue;
  const style = getComputedStyle(e), on = ground(e.closest('svg'));
  const colours = [style.stroke, style.fill].filter(c => c.startsWith('rgb')).map(rgba);
  const r = Math.max(...colours.map(c => ratio(c, on)));
  least_drawn = Math.min(least_drawn, r);
  if (r < 3) fault('1.4.11', `a shape of class ${e.getAttribute('class')} with contrast ${r.toFixed(2)}`, said(e.closest('svg').querySelector('title')));
  count('shapes');
}

// A telephone, and a page made four times as large: nothing but tables scrolls sideways.
const frame = document.createElement('iframe');
frame.style = 'width:320px;height:600px;border:0';
frame.srcdoc = document.documentElement.outerHTML.replace(/<script[^]*?<\/script>/g, '');
const finish = () => {
  const inner = frame.contentDocument;
  if (inner.documentElement.scrollWidth > 320) {
    const wide = [...inner.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > 320.5 && !e.closest('.scroll,svg'));
    fault('1.4.10', `scrolls sideways at 320 pixels (${inner.documentElement.scrollWidth})`, wide.slice(0, 3).map(said).join(' | '));
  }
  frame.remove();
  const out = document.createElement('pre');
  out.id = 'found';
  out.textContent = JSON.stringify({focused, found, counts, least, least_drawn});
  document.body.append(out);
};
frame.onload = finish;
document.body.append(frame);
"""
DARK = ' media="screen and (prefers-color-scheme:dark)"'


def look(chromium, tmp, name, page):
    path = os.path.join(tmp, name + ".html")
    with open(path, "w", encoding="utf-8") as out:
        out.write(page.replace("</body>", f"<script>{SCRIPT}</script></body>"))
    for _ in range(10):
        dom = subprocess.run([chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--force-renderer-accessibility",
                              "--enable-blink-features=ComputedAccessibilityInfo", "--user-data-dir=" + os.path.join(tmp, "profile"),
                              "--window-size=1200,900", "--virtual-time-budget=20000", "--dump-dom", "file://" + os.path.abspath(path)],
                             capture_output=True, text=True, timeout=100, check=True).stdout
        match = re.search(r'<pre id="found">(.*?)</pre>', dom, re.S)
        if match is None:
            sys.exit(f"{name}: the page did not come to its end")
        said = json.loads(html.unescape(match[1]))
        if said["focused"]:
            return said
    sys.exit(f"{name}: the browser gave its window no focus in ten starts")


def main():
    maille, chromium, tmp, results = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    os.makedirs(tmp, exist_ok=True)
    faults = 0
    for result in results:
        page = os.path.join(tmp, "page.html")
        subprocess.run([maille, "report", result, "--out", page], check=True)
        text = open(page, encoding="utf-8").read()
        if text.count(DARK) != 1:
            sys.exit("expected one style for dark screens")
        for theme, shown in (("light", text), ("dark", text.replace(DARK, ""))):
            name = f"{os.path.basename(result)[:-5]}-{theme}"
            said = look(chromium, tmp, name, shown)
            words = ", ".join(f"{n} {what}" for what, n in said["counts"].items())
            print(f"{name}: {len(said['found'])} faults; {words}; least contrast of text {said['least']:.2f}, of shapes {said['least_drawn']:.2f}")
            for criterion, what, where in {tuple(fault) for fault in said["found"]}:
                print(f"  {criterion} {what}: {where!r}")
            few = [what for what, least in (("headings", 15), ("tables", 15), ("pictures", 10), ("stops", 10), ("texts", 400), ("shapes", 40), ("landmarks", 4))
                   if said["counts"].get(what, 0) < least]
            if few:
                print(f"  too few to be a report: {', '.join(few)}")
            faults += len(said["found"]) + len(few)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
