// CodeMirror (Debian's libjs-codemirror) in the place of the text field: colours, faults under the words, completion from the methods and the
// variables. Where it cannot be had, the field stays.
import { element } from "/page/base.js";

const load = path => new Promise((resolve, reject) => {
  const script = element("script", { src: path, onload: resolve, onerror: reject });
  document.head.append(script);
});
const style = path => document.head.prepend(element("link", { rel: "stylesheet", href: path }));

// Words that fit where the cursor stands: methods behind "method:", else keys of the line's method and variables.
function hints(editor, found) {
  const at = editor.getCursor(), line = editor.getLine(at.line), before = line.slice(0, at.ch);
  const typed = /[A-Za-z0-9_.]*$/.exec(before)[0], defs = found.schema.$defs;
  const methods = Object.keys(defs).filter(name => defs[name].properties?.method && !name.includes("."));
  const method = /method: *([a-z0-9]+)/.exec(line)?.[1];
  let list;
  if (/method: *[a-z0-9]*$/.test(before)) {
    list = methods.map(name => ({ text: name }));
  } else {
    const keys = /[{,] *[a-z_]*$/.test(before) && defs[method] ? Object.entries(defs[method].properties) : [];
    list = [...keys.map(([name, key]) => ({ text: `${name}: `, displayText: `${name}: ${key.description ?? ""}`.slice(0, 90) })),
      ...found.variables.map(variable => ({ text: variable.name, displayText: `${variable.name} – ${variable.label}${variable.values ? ` (${variable.values})` : ""}`.slice(0, 90) }))];
  }
  return { list: list.filter(word => typed === "" || word.text.toLowerCase().startsWith(typed.toLowerCase())),
    from: { line: at.line, ch: at.ch - typed.length }, to: at };
}

// { get, set, goTo(line, from, to), mark(findings) } over the field; found() gives { schema, variables } or null.
export async function open(field, found, changed) {
  style("/codemirror/codemirror.css");
  style("/codemirror/show-hint.css");
  await load("/codemirror/codemirror.js");
  await Promise.all([load("/codemirror/yaml.js"), load("/codemirror/show-hint.js")]);
  const CodeMirror = window.CodeMirror;
  const complete = editor => found() && editor.showHint({ hint: () => hints(editor, found()), completeSingle: false });
  const editor = CodeMirror.fromTextArea(field, {
    mode: "yaml", lineNumbers: true, lineWrapping: true, tabSize: 2, indentUnit: 2, viewportMargin: 40,
    screenReaderLabel: document.querySelector(`label[for=${field.id}]`).textContent,
    extraKeys: { Tab: false, "Shift-Tab": false, "Ctrl-Space": complete } });
  let marks = [];
  editor.on("change", () => changed());
  editor.on("inputRead", (_, change) => { if (change.origin === "+input" && /^[A-Za-z]$/.test(change.text[0])) complete(editor); });
  return {
    get: () => editor.getValue(),
    set: text => editor.setValue(text),
    goTo(line, from, to) {
      editor.focus();
      editor.setSelection({ line, ch: from }, { line, ch: to });
    },
    mark(findings) {
      for (const mark of marks) mark.clear();
      marks = findings.filter(finding => finding.line).map(finding => {
        const line = finding.line - 1, from = Math.max(0, (finding.column || 1) - 1);
        return editor.markText({ line, ch: from }, { line, ch: Math.max(from + 1, finding.end || editor.getLine(line)?.length || 1) },
          { className: "fault", title: finding.sentence });
      });
    },
  };
}
