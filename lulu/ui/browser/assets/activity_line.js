// A line draws the data of its own component, or data that `tell` mounts elsewhere under the same name.

const MINUTE = 60,
  HOUR = 3600;
const PARTS = [".words", ".clock", ".context", ".meter"];

function length(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < MINUTE) return `${seconds} s`;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min ${seconds % MINUTE} s`;
  return `${Math.floor(seconds / HOUR)} h ${Math.floor((seconds % HOUR) / MINUTE)} min`;
}

function makeNow() {
  const lines = new Map(),
    told = new Map(),
    heardAt = new Map();
  // Read aloud when its words change: what is asked in the session that is shown.
  const asked = Object.assign(document.createElement("div"), { className: "lulu-asked", role: "status" });
  document.body.append(asked);
  let timer, asker;

  // An element that has not changed is left alone: a screen reader tells each change.
  const put = (node, text) => {
    if (node.textContent !== text) node.textContent = text;
  };

  function draw(name) {
    const line = lines.get(name),
      { data, at } = told.get(name) ?? {};
    if (!line) return;
    const [words, clock, context, meter] = PARTS.map((part) => line.querySelector(part));
    const passed = performance.now() - (at ?? 0);
    const silent = Math.min(data?.silent + passed, performance.now() - (heardAt.get(name) ?? -Infinity));
    const isSilent = data?.silent != null && silent >= data.stall;
    line.dataset.kind = isSilent ? "silent" : (data?.kind ?? "none");
    put(words, isSilent ? "No output" : (data?.words ?? ""));
    if (data?.asked != null) {
      asker = name;
      put(asked, data.asked);
    }
    put(clock, !data?.kind ? "" : isSilent ? `for ${length(silent)}` : moment(data, passed));
    put(context, data?.context ?? "");
    meter.hidden = data?.share == null;
    if (meter.hidden) return;
    meter.firstElementChild.style.width = `${100 * data.share}%`;
    meter.toggleAttribute("data-full", data.share > 0.8);
  }

  function moment(data, passed) {
    const waited = data.waited >= 1000 ? ` · waited ${length(data.waited)}` : "";
    if (data.left == null) return data.kind === "limit" ? "" : `· ${length(data.since + passed)}${waited}`;
    const left = data.left - passed;
    if (data.kind !== "limit") return left > 0 ? `in ${length(left + 999)}` : "now";
    const end = new Date(Date.now() + left);
    const isToday = end.toDateString() === new Date().toDateString();
    const day = isToday ? "" : `${end.toLocaleDateString([], { month: "short", day: "numeric" })}, `;
    return left > 0 ? `until ${day}${end.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}` : "is over";
  }

  // Ticks only while something moves on a page that somebody sees.
  function tick() {
    const moving = [...lines.keys()].filter((name) => told.get(name)?.data?.kind);
    if (!document.hidden) for (const name of moving) draw(name);
    clearTimeout(timer);
    if (moving.length > 0 && !document.hidden) timer = setTimeout(tick, 1000);
  }
  document.addEventListener("visibilitychange", tick);

  return {
    // Words come without a run of the page.
    heard(name) {
      heardAt.set(name, performance.now());
    },
    tell(name, data) {
      told.set(name, { data, at: performance.now() });
      draw(name);
      tick();
    },
    join(name, line) {
      lines.set(name, line);
      draw(name);
      tick();
    },
    // The same line may come back with the next run; what it was told is kept until then.
    leave(name, line) {
      if (lines.get(name) !== line) return;
      lines.delete(name);
      setTimeout(() => {
        if (lines.has(name)) return;
        told.delete(name);
        heardAt.delete(name);
        if (asker === name) put(asked, "");
      }, 5000);
    },
  };
}

const hub = (window.luluNow ??= makeNow());

export default function ({ data, parentElement }) {
  const line = parentElement.querySelector(".line");
  if (data.told) hub.tell(data.name, data.told);
  if (!data.isLine) return;
  hub.join(data.name, line);
  return () => hub.leave(data.name, line);
}
