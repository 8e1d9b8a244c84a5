// The site's own page: a check or an import of a file, a roll back.
import { post, say } from "/page/base.js";

const output = document.getElementById("output"), verdict = document.getElementById("verdict");

async function run(path, button) {
  const buttons = [...document.querySelectorAll("main button")];
  for (const one of buttons) one.disabled = true;
  verdict.className = "";
  verdict.textContent = say("working");
  try {
    const said = await post(path);
    output.textContent = said.text;
    output.hidden = said.text === "";
    verdict.className = said.status === 0 ? "good" : "bad";
    verdict.textContent = said.status === 0 ? say("done") : say("not_done");
    output.scrollIntoView({ block: "nearest" });
  } catch (error) {
    verdict.className = "bad";
    verdict.textContent = error.message;
  }
  for (const one of buttons) one.disabled = false;
  button.focus();
}

for (const button of document.querySelectorAll("button[data-path]")) {
  button.addEventListener("click", () => {
    if (button.dataset.number && !confirm(say("sure_rollback", button.dataset.number))) return;
    run(button.dataset.path, button);
  });
}
