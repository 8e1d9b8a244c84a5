// A study that runs: its events as they come, from the beginning, so that a reload loses nothing.
import { copyable, element, post, say } from "/page/base.js";

const progress = document.getElementById("progress");

const names = parties => parties.map(party => party.officer ? say("their_officer", party.party) : party.party).join(", ");

// One sentence for an event; whether it is about now, or something that was said.
function words(event) {
  const waits = event.for?.length ? ` – ${say("waiting_for", names(event.for))}` : "";
  switch (event.event) {
  case "asked": return { said: say("asked_now", event.query.slice(0, 8)) };
  case "waiting": return { now: say("ready", event.ready, event.sites) + waits };
  case "heads": return { now: say("heads", event.sites, event.round) + waits };
  case "round": return { now: say("round", event.sites, event.round, (event.bytes / 1e6).toFixed(1)) + waits };
  case "ended": return { now: say("ended") };
  case "error": return { now: event.sentence, bad: true };
  case "note":
  case "word": return { said: event.text };
  case "site": case "refused": case "analysis": return { said: event.sentence ?? event.text ?? JSON.stringify(event) };
  default: return {};
  }
}

function follow(number) {
  const now = document.getElementById("now"), said = document.getElementById("said"), bar = document.getElementById("bar");
  const runs = progress.dataset.runs === "yes";
  const source = new EventSource(`/events?n=${number}`);
  source.addEventListener("message", message => {
    const { now: at, said: line, bad } = words(JSON.parse(message.data));
    if (at) now.textContent = at;
    if (at) now.classList.toggle("no", Boolean(bad));
    if (line) said.append(element("li", { textContent: line }));
  });
  source.addEventListener("over", () => {
    source.close();
    bar.hidden = true;
    if (runs) location.reload();
  });
}

function button(id, path) {
  const pressed = document.getElementById(id);
  pressed?.addEventListener("click", async () => {
    pressed.disabled = true;
    try {
      await post(`${path}?n=${progress.dataset.number}`);
      location.reload();
    } catch (error) {
      document.getElementById("now").textContent = error.message;
      pressed.disabled = false;
    }
  });
}

if (progress) {
  follow(progress.dataset.number);
  button("cancel", "/cancel");
  button("resume", "/resume");
} else {
  copyable(document);
}
