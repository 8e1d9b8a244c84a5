// A study as it is written: what `maille check` says of the text as one types, and what every site would add up.
import { element, post, say } from "/page/base.js";
import { open as openEditor } from "/page/editor.js";
import { open as openForm } from "/page/form.js";

const field = document.getElementById("text"), verdict = document.getElementById("verdict"), findings = document.getElementById("findings");
const before = document.getElementById("before"), ask = document.getElementById("ask");
const WAIT_MS = 250;
let waiting = 0, asked = 0, found = null;

// The field itself, until the editor stands in its place.
let text = {
  get: () => field.value,
  set(value) { field.value = value; changed(); },
  goTo(line, from, to) {
    const start = field.value.split("\n").slice(0, line).reduce((sum, one) => sum + one.length + 1, 0);
    field.focus();
    field.setSelectionRange(start + from, start + to);
  },
  mark() {},
};

function show(className, words) {
  verdict.className = className;
  verdict.textContent = words;
}

function findingItem(finding) {
  const item = element("li");
  if (finding.line) {
    const place = element("button", { type: "button", textContent: say("line", finding.line) });
    const from = Math.max(0, (finding.column || 1) - 1);
    place.addEventListener("click", () => text.goTo(finding.line - 1, from, Math.max(from + 1, finding.end || 0)));
    item.append(place, " ");
  }
  item.append(finding.expected ? finding.sentence.replace(/^.*?:\d+(:\d+)?: /, "") : finding.sentence);
  return item;
}

function analysisBox(analysis) {
  const box = element("section", { className: "analysis" });
  const cohort = element("p", { className: "n", textContent: say("of_cohort", analysis.cohort) });
  const held = element("p", { className: analysis.held ? "verdict held" : "verdict" });
  held.textContent = analysis.held ? `${say("held")}: ${analysis.held}` : say("free");
  const sums = element("details", {},
    element("summary", { textContent: `${say("adds_up")}; ${say("each_bytes", analysis.bytes)}` }),
    element("pre", { textContent: analysis.tallies?.replace(/^ {4}/gm, "") ?? "", tabIndex: 0 }));
  box.append(element("h3", { textContent: `${analysis.id} (${analysis.method})` }), cohort, held, sums);
  return box;
}

function render(said) {
  findings.replaceChildren(...said.findings.map(findingItem));
  text.mark(said.findings);
  show(said.valid ? "good" : "bad", said.valid ? say("valid") : say("faults", said.findings.length));
  ask.disabled = !said.valid;
  before.replaceChildren(...(said.analyses || []).map(analysisBox));
  if (said.analyses) before.append(element("p", { className: "n", textContent: say("rounds_later") }));
}

async function check() {
  const turn = ++asked;
  show("", say("checking"));
  try {
    const said = await post("/check", text.get());
    if (turn === asked) render(said);
  } catch (error) {
    if (turn === asked) show("bad", error.message);
  }
}

function changed() {
  ask.disabled = true;
  clearTimeout(waiting);
  waiting = setTimeout(check, WAIT_MS);
}

field.addEventListener("input", changed);

ask.addEventListener("click", async () => {
  ask.disabled = true;
  try {
    const { number } = await post("/ask", text.get());
    location.assign(`/answer?n=${number}`);
  } catch (error) {
    show("bad", error.message);
    ask.disabled = false;
  }
});

const json = path => fetch(path).then(answer => answer.ok ? answer.json() : null).catch(() => null);

async function know() {
  const [schema, catalogue] = await Promise.all([json("/schema.json"), json("/variables.json")]);
  if (!schema) return;
  found = { schema, variables: catalogue?.variables ?? [] };
  openForm(document.getElementById("form"), { get: () => text.get(), set: value => text.set(value) }, found);
  document.getElementById("by-form").hidden = false;
}

ask.disabled = true;
check();
know();
openEditor(field, () => found, changed).then(editor => { text = editor; check(); }, () => {});
