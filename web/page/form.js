// An analysis by a form: its fields are the keys that the method's schema has (maille schema methods), so that a new method needs no line here.
import { element, say } from "/page/base.js";

const HIDDEN = new Set(["id", "method"]);
let schema = null;

const resolve = property => property.$ref ? { ...schema.$defs[property.$ref.split("/").pop()], ...property } : property;
// What can be typed as one name or a list of names takes the list: one name is a list of one.
const plain = property => {
  const choices = (property.oneOf ?? []).map(resolve);
  return choices.find(choice => choice.type === "array") ?? choices.find(choice => choice.type !== "object") ?? resolve(property);
};

function kindOf(property) {
  const shape = plain(property);
  if (shape.enum) return "choice";
  if (shape.type === "boolean") return "flag";
  if (shape.type === "array") return "list";
  if (shape.type === "object") return null; // typed as YAML
  if (shape.type === "number" || shape.type === "integer") return "number";
  return "text";
}

// A YAML word, quoted as JSON is where it could be read as something else.
const word = text => /^[A-Za-z_][A-Za-z0-9_.-]*$|^-?[0-9]+(\.[0-9]+)?$/.test(text) ? text : JSON.stringify(text);

function valueOf(input, kind) {
  if (kind === "flag") return input.checked ? "true" : "";
  const text = input.value.trim();
  if (text === "") return "";
  return kind === "list" ? `[${text.split(",").map(part => word(part.trim())).join(", ")}]` : word(text);
}

function inputOf(name, property, required) {
  const kind = kindOf(property), shape = plain(property), id = `key-${name}`;
  let input;
  if (kind === "choice") {
    input = element("select", { id }, element("option", { value: "", textContent: "" }), ...shape.enum.map(value => element("option", { value, textContent: value })));
  } else {
    input = element("input", { id, type: kind === "flag" ? "checkbox" : "text", autocomplete: "off" });
    if (kind !== "flag") input.setAttribute("list", "variable-names");
  }
  input.dataset.name = name;
  input.dataset.kind = kind;
  input.setAttribute("aria-describedby", `${id}-help`);
  const label = element("label", { htmlFor: id }, element("code", { textContent: name }), required ? "" : ` (${say("optional")})`);
  return element("div", { className: kind === "flag" ? "field flag" : "field" }, label, input, element("p", { id: `${id}-help`, className: "n", textContent: property.description ?? "" }));
}

function draw(box, method) {
  const keys = schema.$defs[method], required = new Set(keys.required);
  const names = Object.keys(keys.properties).filter(name => !HIDDEN.has(name) && kindOf(keys.properties[name]));
  const field = name => inputOf(name, keys.properties[name], required.has(name));
  const more = names.filter(name => !required.has(name));
  box.replaceChildren(...names.filter(name => required.has(name)).map(field),
    ...(more.length ? [element("details", {}, element("summary", { textContent: say("more_keys") }), ...more.map(field))] : []));
}

// The next id of a method that the text has not yet: km, km-2 …
function freeId(text, method) {
  for (let n = 1; ; n++) {
    const id = n === 1 ? method : `${method}-${n}`;
    if (!new RegExp(`\\bid: *${id}\\b(?!-)`).test(text)) return id;
  }
}

function lineOf(box, method, text) {
  const parts = [`id: ${freeId(text, method)}`, `method: ${method}`];
  for (const input of box.querySelectorAll("[data-name]")) {
    const value = valueOf(input, input.dataset.kind);
    if (value !== "") parts.push(`${input.dataset.name}: ${value}`);
  }
  return `  - { ${parts.join(", ")} }`;
}

// text: { get(), set(text) } of the editor. found: { schema, variables }.
export function open(host, text, found) {
  schema = found.schema;
  const methods = Object.keys(schema.$defs).filter(name => schema.$defs[name].properties?.method && !name.includes("."));
  const select = element("select", { id: "method" }, ...methods.map(value => element("option", { value, textContent: value })));
  const box = element("div", { className: "fields" }), add = element("button", { type: "button", className: "plain", id: "add", textContent: say("add_analysis") });
  const names = element("datalist", { id: "variable-names" }, ...found.variables.map(variable => element("option", { value: variable.name, label: variable.label })));
  select.value = "km";
  host.replaceChildren(element("label", { htmlFor: "method", textContent: say("method") }), select, box, element("p", {}, add), names);
  select.addEventListener("change", () => draw(box, select.value));
  add.addEventListener("click", () => text.set(`${text.get().replace(/\s*$/, "")}\n${lineOf(box, select.value, text.get())}\n`));
  draw(box, select.value);
}
