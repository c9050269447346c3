import { isConnected, isRunRequested } from "./streamlit_dom.js";

// Says in a bar that Lulu cannot be reached, or does not answer, and what that means.

const LOOK = 500,
  PATIENCE = 3000;
const GONE = "Lulu is not running, or cannot be reached.";
const SILENT = "Lulu does not answer.";
const SAFE = {
  owner:
    "What agents did up to here is saved, and what you type stays in this browser. If Lulu has ended, start it " +
    "again with: make run. This page comes back by itself.",
  guest: "Nothing is lost. This page comes back by itself.",
};

function makeOutage() {
  const bar = Object.assign(document.createElement("div"), { className: "lulu-outage" });
  bar.setAttribute("role", "alert");
  let since = 0,
    before = "",
    wasConnected = false;
  setInterval(() => {
    // A first connection may take long: on a phone, or over a tunnel.
    wasConnected ||= isConnected();
    const isGone = wasConnected && !isConnected();
    // Asked for a run, and none has begun: the server stands still.
    const isSilent = isRunRequested();
    const now = isGone ? GONE : isSilent ? SILENT : "";
    if (now !== before) {
      since = performance.now();
      before = now;
    }
    if (!now || document.hidden) {
      bar.remove();
      return;
    }
    if (performance.now() < since + PATIENCE || bar.isConnected) return;
    // Only an owner's page has the list of sessions.
    const who = document.querySelector(".st-key-session_list") ? "owner" : "guest";
    bar.replaceChildren(Object.assign(document.createElement("b"), { textContent: now }), ` ${SAFE[who]}`);
    document.body.append(bar);
  }, LOOK);
}

makeOutage();
