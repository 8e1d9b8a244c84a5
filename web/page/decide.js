// The officer's decision: signed by her program, with her reason.
import { post, say } from "/page/base.js";

const box = document.getElementById("decision"), reason = document.getElementById("reason"), verdict = document.getElementById("verdict");

function tell(className, words) {
  verdict.className = className;
  verdict.textContent = words;
}

async function decide(kind) {
  if (kind !== "approve" && reason.value.trim() === "") {
    tell("bad", say("reason_wanted"));
    reason.focus();
    return;
  }
  const buttons = box.querySelectorAll("button");
  for (const button of buttons) button.disabled = true;
  try {
    const said = await post(`/decide?q=${box.dataset.query}&kind=${kind}&h=${box.dataset.hash}`, reason.value);
    tell("good", `${say(said.handed ? "decision_taken" : "decision_file")} ${said.file}`);
  } catch (error) {
    tell("bad", error.message);
    for (const button of buttons) button.disabled = false;
  }
}

for (const kind of ["approve", "deny", "stop"]) document.getElementById(kind)?.addEventListener("click", () => decide(kind));
