// What every page has: words, requests, the language, tables that sort and filter, tables that are copied.
const words = document.getElementById("words").dataset;

// say("line", 3) → "line 3"
export function say(name, ...values) {
  let n = 0;
  return words[name].replace(/%s/g, () => String(values[n++]));
}

export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// A POST of this page; the answer's JSON, or an Error with the sentence that the program said.
export async function post(path, body = "") {
  let answer;
  try {
    answer = await fetch(path, { method: "POST", body, headers: { "X-Maille": "page", "Content-Type": "application/x-maille" } });
  } catch {
    throw new Error(say("no_answer"));
  }
  const text = await answer.text();
  let said;
  try {
    said = JSON.parse(text);
  } catch {
    throw new Error(text || say("no_answer"));
  }
  if (!answer.ok || said.error) throw new Error(said.error || text);
  return said;
}

document.getElementById("language").addEventListener("click", () => {
  document.cookie = `maille-language=${document.documentElement.lang === "fr" ? "en" : "fr"}; path=/; samesite=strict; max-age=31536000`;
  location.reload();
});

// --- tables ---

const number = text => {
  const found = text.replace(/[, \u202f]/g, "");
  return found !== "" && !isNaN(found) ? Number(found) : null;
};

// Rows in their order by a column: as numbers where all that are not empty are, else as words; very many words by their letters' codes, which
// takes a tenth of the time.
const WORDS_MAX = 5000;
function ordered(rows, column, up) {
  const texts = rows.map(row => row.cells[column]?.textContent.trim() ?? ""), numbers = texts.map(number);
  const order = new Intl.Collator(document.documentElement.lang, { numeric: true });
  let compare = (i, j) => order.compare(texts[i], texts[j]);
  if (texts.every((text, i) => text === "" || numbers[i] !== null)) compare = (i, j) => (numbers[i] ?? -Infinity) - (numbers[j] ?? -Infinity);
  else if (rows.length > WORDS_MAX) compare = (i, j) => texts[i] < texts[j] ? -1 : Number(texts[i] > texts[j]);
  return rows.map((_, i) => i).sort((i, j) => (up ? compare(i, j) : compare(j, i)) || i - j).map(i => rows[i]);
}

// A table that sorts and, if wanted, filters. At most SHOWN rows are drawn until more are asked for: what is not drawn costs nothing.
// Rows that belong together (a variable's levels below it) stay as they are.
const SHOWN = 500;
let filters = 0;

export function manage(table, filter) {
  const body = table.tBodies[0];
  if (table.tHead?.rows.length !== 1 || !body || table.querySelector("tr.f, tr.i, [rowspan], tbody [colspan]")) return;
  const box = table.closest(".scroll") ?? table, more = element("button", { type: "button", className: "plain small" });
  let rows = [...body.rows], wanted = "", shown = SHOWN;
  const draw = () => {
    const found = wanted === "" ? rows : rows.filter(row => row.textContent.toLowerCase().includes(wanted));
    body.replaceChildren(...found.slice(0, shown));
    more.hidden = found.length <= shown;
    more.textContent = say("show_more", found.length - shown);
  };
  more.addEventListener("click", () => { shown *= 10; draw(); });
  [...table.tHead.rows[0].cells].forEach((header, column) => {
    const button = element("button", { type: "button", textContent: header.textContent });
    header.dataset.sort = "";
    header.replaceChildren(button);
    button.addEventListener("click", () => {
      const up = header.getAttribute("aria-sort") !== "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      header.setAttribute("aria-sort", up ? "ascending" : "descending");
      rows = ordered(rows, column, up);
      draw();
    });
  });
  if (filter) {
    const input = element("input", { type: "search", id: `filter-${filters++}` });
    box.before(element("p", { className: "tools" }, element("label", { htmlFor: input.id, textContent: say("filter") }), input));
    input.addEventListener("input", () => { wanted = input.value.toLowerCase(); draw(); });
  }
  box.after(more);
  more.hidden = true;
  if (rows.length > shown) draw();
}

for (const table of document.querySelectorAll(".filterable table, #register table, #left table, #refused table, #events table")) {
  manage(table, table.tBodies[0]?.rows.length > 5);
}

// As HTML and as text between tabs, for a word processor and a spreadsheet.
async function copy(table, button) {
  const text = [...table.rows].map(row => [...row.cells].map(cell => cell.innerText.trim()).join("\t")).join("\n");
  await navigator.clipboard.write([new ClipboardItem({
    "text/html": new Blob([table.outerHTML], { type: "text/html" }), "text/plain": new Blob([text], { type: "text/plain" }) })]);
  button.textContent = say("copied");
  setTimeout(() => { button.textContent = say("copy"); }, 1500);
}

export function copyable(within) {
  for (const box of within.querySelectorAll(".scroll")) {
    const table = box.querySelector("table");
    if (!table) continue;
    manage(table, table.tBodies[0]?.rows.length > 20);
    const button = element("button", { type: "button", className: "plain small", textContent: say("copy") });
    button.addEventListener("click", () => copy(table, button));
    box.after(button);
  }
}
