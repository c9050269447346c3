const WAITING = "waiting";
const CHOICE = "lulu-notifications",
  ASKED = "lulu-notifications-asked";
const memory = (window.luluSignals ??= {
  known: new Map(),
  begun: false,
  waiting: 0,
  news: null,
  plain: "",
  shown: null,
  started: false,
});

function kept(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return "off";
  }
}
function keep(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    /* a private window keeps nothing */
  }
}
const choice = () => kept(CHOICE),
  choose = (value) => keep(CHOICE, value);
const canNotify = () => "Notification" in window;

// Before the title that Streamlit gives the page: how many wait, whether the one that is shown does, and the last news
// until somebody looks.
function retitle() {
  if (document.title !== memory.shown) memory.plain = document.title;
  const isOn = choice() === "on";
  const number = memory.waiting > 0 ? `(${memory.waiting}) ` : "";
  const isShown = location.pathname.endsWith("/session");
  const mark = isShown && memory.known.get(new URLSearchParams(location.search).get("id")) === WAITING ? "● " : "";
  const { title, words } = memory.news ?? {};
  const news =
    !isOn || !title
      ? mark + memory.plain
      : title === memory.plain
        ? `${title} ${words}`
        : `${title} ${words} · ${memory.plain}`;
  memory.shown = number + news;
  if (document.title !== memory.shown) document.title = memory.shown;
}

function start() {
  if (memory.started) return;
  memory.started = true;
  // Read aloud when its words change: what waits elsewhere. Of the session that is shown, activity_line.js says more.
  memory.said = Object.assign(document.createElement("div"), { className: "lulu-said", role: "status" });
  document.body.append(memory.said);
  window.addEventListener("focus", () => {
    memory.news = null;
    retitle();
  });
  new MutationObserver(retitle).observe(document.head, { subtree: true, childList: true, characterData: true });
}

function tell(sessions, open) {
  for (const { id, status, title, words } of sessions) {
    const before = memory.known.get(id);
    memory.known.set(id, status);
    // What was there when the tab opened is no news.
    if ((before === undefined && !memory.begun) || before === status || !words) continue;
    if (status === WAITING && id !== open)
      memory.said.textContent = `${title} ${words}.${memory.waiting > 1 ? ` ${memory.waiting} sessions wait.` : ""}`;
    if (choice() !== "on") continue;
    if (document.hasFocus()) continue;
    memory.news = { title, words };
    if (canNotify() && Notification.permission === "granted") {
      const note = new Notification(title, { body: words, tag: id });
      note.onclick = () => {
        window.focus();
        location.href = `/session?id=${encodeURIComponent(id)}`;
      };
    }
  }
  memory.begun = true;
}

export default function ({ data, parentElement }) {
  start();
  if (data.sessions) {
    memory.waiting = data.waiting;
    tell(data.sessions, data.open);
    retitle();
  }
  if (data.started && !kept(ASKED)) keep(ASKED, data.started);
  const box = parentElement.querySelector(".ask");
  const [words, yes, no] = [".words", ".yes", ".no"].map((name) => box.querySelector(name));
  const isOn = choice() === "on" && canNotify() && Notification.permission === "granted";
  const draw = () => {
    const asked = choice() !== null;
    box.hidden = !canNotify() || !(data.always || (!asked && data.started && kept(ASKED) === data.started));
    words.textContent =
      choice() === "on"
        ? "You get a notification when a session needs you, finishes or fails."
        : "Get a notification when a session needs you, finishes or fails?";
    yes.textContent = "Allow";
    yes.hidden = choice() === "on";
    no.textContent = choice() === "on" ? "Turn off" : "Not now";
    no.hidden = choice() === "off";
  };
  yes.onclick = async () => {
    choose((await Notification.requestPermission()) === "granted" ? "on" : "off");
    retitle();
    draw();
  };
  no.onclick = () => {
    choose("off");
    retitle();
    draw();
  };
  if (choice() === "on" && !isOn) choose("off");
  draw();
}
