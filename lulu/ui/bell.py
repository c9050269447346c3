"""The bell: an invisible component that reruns the fragment it stands in when its topic has rung.

All bells of a browser page share one WebSocket (``lulu/web/doorbell.py``). While that is away they tick once a second,
so a page keeps moving; while it is there, a page at rest costs nothing.
"""

from __future__ import annotations

import time

import streamlit as st

from lulu.web import doorbell

#: The page's one socket, as ``window.luluHub``: every component that hears from the server starts with this text and
#: joins the same hub. Messages are ``{kind: {topic: value}}``; a member has one function for each kind that it wants.
HUB_JS = (
    f"const PATH = {doorbell.PATH!r};"
    r"""
const OPEN_WITHIN = 3000, TICK = 1000, ANSWER_WITHIN = 2000, QUIET = 30000, LINGER = 5000;
const BACKOFF = [250, 500, 1000, 2000, 4000, 8000];
const CALM = 20, APART = 10, LEAVE_WITHIN = 400, LEAVING = 2000, STEADY = 50, RUN_AT_MOST = 3000;

function makeHub() {
  const members = new Map();
  const last = new Map();
  let socket = null, listening = "", failures = 0, heardAt = 0;
  let openTimer, retryTimer, answerTimer, lingerTimer, tickTimer, planned = false;

  const isOpen = () => socket !== null && socket.readyState === WebSocket.OPEN;

  function connect() {
    clearTimeout(retryTimer);
    if (socket !== null || members.size === 0) return;
    const mine = new WebSocket(location.origin.replace(/^http/, "ws") + PATH);
    socket = mine;
    openTimer = setTimeout(() => drop(mine), OPEN_WITHIN);
    mine.onopen = () => { clearTimeout(openTimer); failures = 0; listening = ""; stopTicking(); listen(); };
    mine.onmessage = (event) => hear(JSON.parse(event.data));
    mine.onclose = () => drop(mine);
  }

  // Also for a socket that is only half dead: its own close event may take a minute.
  function drop(mine) {
    mine.onopen = mine.onmessage = mine.onclose = null;
    mine.close();
    if (socket !== mine) return;
    socket = null;
    clearTimeout(openTimer);
    clearTimeout(answerTimer);
    if (members.size === 0) return;
    startTicking();
    retryTimer = setTimeout(connect, BACKOFF[Math.min(failures++, BACKOFF.length - 1)] * (0.8 + 0.4 * Math.random()));
  }

  function listen(again = false) {
    planned = false;
    if (!isOpen()) return;
    const topics = [...new Set([...members.values()].map((member) => member.topic))].sort();
    const message = JSON.stringify({ listen: topics });
    if (message === listening && !again) return;
    listening = message;
    socket.send(message);
  }

  function hear(message) {
    heardAt = Date.now();
    clearTimeout(answerTimer);
    for (const [kind, values] of Object.entries(message))
      for (const [topic, value] of Object.entries(values)) {
        last.set(kind + " " + topic, value);
        for (const member of [...members.values()]) if (member.topic === topic) member[kind]?.(value);
      }
  }

  function startTicking() {
    tickTimer ??= setInterval(() => {
      const page = document.querySelector("[data-test-connection-state]")?.dataset.testConnectionState ?? "CONNECTED";
      if (document.hidden || page !== "CONNECTED") return;
      for (const member of [...members.values()]) member.tick?.();
    }, TICK);
  }

  function stopTicking() { clearInterval(tickTimer); tickTimer = undefined; }

  // The machine may have slept: a socket can look open and be gone.
  function check() {
    if (document.hidden || members.size === 0) return;
    if (!isOpen()) { failures = 0; connect(); return; }
    const mine = socket;
    listen(true);
    clearTimeout(answerTimer);
    answerTimer = setTimeout(() => { drop(mine); connect(); }, ANSWER_WITHIN);
  }

  // Streamlit sends all triggers of one moment as one message, for one fragment: so one at a time, and not in the
  // moment of a click or a key, whose message would otherwise rerun our fragment instead of the page.
  //
  // Nor while the page is being left: a fragment's message carries the page that it was sent from, and when it is
  // answered after the run of the next page, Streamlit takes it for a change of page and empties the window. So after
  // whatever may lead to another page, wait for the run that it starts, and until nothing runs.
  const asked = [];
  let pumping = false, inputAt = 0, leftAt = 0, hasRun = true, restedAt = 0;
  const isRunning = () => document.querySelector("[data-test-script-state]")?.dataset.testScriptState === "running";
  const noteLeaving = () => { leftAt = Date.now(); hasRun = false; };
  const noteInput = (event) => {
    inputAt = Date.now();
    const target = event.target instanceof Element ? event.target : null;
    if (event.type === "keydown" ? event.key === "Enter" : target?.closest("a, button, [role=button], [role=option]"))
      noteLeaving();
  };
  for (const type of ["keydown", "pointerup", "click", "change", "drop", "paste"])
    window.addEventListener(type, noteInput, true);
  window.addEventListener("popstate", noteLeaving, true);

  function isFree(now) {
    if (now < inputAt + CALM) return false;
    if (isRunning()) { hasRun = true; restedAt = 0; return now > leftAt + LEAVING + RUN_AT_MOST; }
    restedAt ||= now;
    if (!hasRun && now < leftAt + LEAVE_WITHIN) return false;
    return now > leftAt + LEAVING || now >= restedAt + STEADY;
  }

  function pump() {
    if (asked.length > 0 && isFree(Date.now())) asked.shift()();
    pumping = asked.length > 0;
    if (pumping) setTimeout(pump, APART);
  }

  for (const wake of ["online", "pageshow", "focus"]) window.addEventListener(wake, check);
  document.addEventListener("visibilitychange", check);
  setInterval(() => { if (isOpen() && Date.now() - heardAt > QUIET) check(); }, QUIET / 2);

  return {
    join(key, member) {
      clearTimeout(lingerTimer);
      members.set(key, member);
      if (!planned) { planned = true; queueMicrotask(() => listen()); }
      connect();
    },
    leave(key, member) {
      if (members.get(key) !== member) return;
      members.delete(key);
      if (members.size > 0) return;
      stopTicking();
      clearTimeout(retryTimer);
      lingerTimer = setTimeout(() => { if (members.size === 0 && socket !== null) drop(socket); }, LINGER);
    },
    last: (kind, topic) => last.get(kind + " " + topic),
    ask(run) {
      asked.push(run);
      if (!pumping) { pumping = true; setTimeout(pump, 0); }
    },
  };
}

const hub = (window.luluHub ??= makeHub());
"""
)

#: A bell asks for a run when its topic's number is above the one its fragment has drawn, and not again before the
#: answer came (new data, or a time limit: a run may be cut short by another).
_BELL_JS = (
    HUB_JS
    + r"""
const RUN_WITHIN = 3000, SAME_AGAIN = 1000;
const bells = (hub.bells ??= new Map());

export default function ({ key, data, setTriggerValue }) {
  const before = bells.get(key);
  clearTimeout(before?.timer);
  const bell = {
    topic: data.topic, seen: data.seen, asked: before?.asked ?? 0, askedAt: before?.askedAt ?? 0, busyUntil: 0,
    ask(number) {
      const now = Date.now();
      const free = Math.max(bell.busyUntil, number <= bell.asked ? bell.askedAt + SAME_AGAIN : 0);
      clearTimeout(bell.timer);
      if (now < free) { bell.timer = setTimeout(() => bell.ring(number), free - now); return; }
      Object.assign(bell, { asked: number, askedAt: now, busyUntil: now + RUN_WITHIN });
      bell.timer = setTimeout(() => bell.ring(number), RUN_WITHIN);
      bell.run(number);
    },
    run(number) { hub.ask(() => { if (bells.get(key) === bell) setTriggerValue("ring", number); }); },
    ring(number) {
      const newest = Math.max(number, hub.last("ring", bell.topic) ?? 0);
      if (newest > bell.seen) bell.ask(newest);
    },
    tick() {
      if (Date.now() < bell.busyUntil) return;
      bell.busyUntil = Date.now() + RUN_WITHIN;
      bell.run(0);
    },
  };
  bells.set(key, bell);
  hub.join(key, bell);
  bell.ring(0);
  return () => {
    clearTimeout(bell.timer);
    if (bells.get(key) === bell) bells.delete(key);
    hub.leave(key, bell);
  };
}
"""
)

#: Takes no room: without this, the element would leave one gap of the layout. (Streamlit takes one line for a path.)
_CSS = """
[class*="st-key-bell_"] {
  position: absolute; width: 0; height: 0; overflow: hidden;
}
"""

_mount = st.components.v2.component("lulu_bell", js=_BELL_JS, css=_CSS, isolate_styles=False)


def bell(topic: str, *, seen: int, key: str) -> None:
    """Rerun the fragment that calls this when ``topic`` has rung past ``seen``.

    ``seen`` is ``Bus.version(topic)``, read in the same run *before* the rows. ``key`` is unique on the page.
    """
    # ``run`` makes each run's data new: it tells the browser that the run it asked for has come.
    data = {"topic": topic, "seen": seen, "run": time.monotonic_ns()}
    _mount(key=f"bell_{key}", data=data, height="content", on_ring_change=_rerun)


def _rerun() -> None:
    """The trigger itself is what reruns the fragment."""
