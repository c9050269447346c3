"""The bell: an invisible component that reruns the fragment it stands in when its topic has rung.

All bells of a browser page share one WebSocket (``lulu/server/push/doorbell.py``). While that is away they tick once
a second, so a page keeps moving; while it is there, a page at rest costs nothing.
"""

from __future__ import annotations

import time
from datetime import timedelta

import streamlit as st

from lulu.server.push import doorbell

#: The page's one socket, as ``window.luluHub``: every component that hears from the server joins it, or waits in
#: ``window.luluHubWaiting`` until it is there. Messages are ``{kind: {topic: value}}``; a member has one function for
#: each kind that it wants. A component of its own: Streamlit sends the text of a component each time it is drawn.
_HUB_JS = (
    f"const PATH = {doorbell.PATH!r};"
    r"""
const OPEN_WITHIN = 3000, TICK = 1000, ANSWER_WITHIN = 2000, QUIET = 30000, LINGER = 5000;
const BACKOFF = [250, 500, 1000, 2000, 4000, 8000];
const RUN_WITHIN = 3000, CALM = 20, APART = 10, POLL = 10, LEAVE_WITHIN = 400, LEAVING = 2000, STEADY = 50;
const OVERDUE = 300;

// What Streamlit's client says of itself; as wanted where it says nothing.
function appState(kind, wanted) {
  return (document.querySelector(".stApp")?.getAttribute(`data-test-${kind}-state`) ?? wanted) === wanted;
}

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
    mine.onclose = () => { drop(mine); leaveIfEnded(); };
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

  // Nobody is let in any longer: what stands on the page goes, and the guard's own page comes.
  function leaveIfEnded() {
    fetch("/", { method: "HEAD", cache: "no-store" }).then((answer) => {
      if (answer.status === 401) { window.luluUnsent?.forget(); location.reload(); }
    }, () => {});
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
      if (document.hidden || !appState("connection", "CONNECTED")) return;
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

  // One run at a time, none in the moment of a click or a key, and none while the page is being left:
  // - Streamlit's client sends the triggers of one moment as one message, for one fragment only;
  // - its server throws away what a run has drawn when the next request comes as the run ends;
  // - a fragment's message carries the page that it was sent from: answered after the run of the next page, it is
  //   taken for a change of page, which empties the window.
  const jobs = [];
  let current = null, startedAt = 0, waitingSince = 0, pumpTimer;
  let inputAt = 0, leftAt = 0, hasRun = true, restedAt = 0;
  const noteLeaving = () => { leftAt = Date.now(); hasRun = false; };
  const noteInput = (event) => {
    inputAt = Date.now();
    const target = event.target instanceof Element ? event.target : null;
    const isPress = event.type === "keydown" && (event.key === "Enter" || event.altKey);  // Alt: a button's shortcut
    if (isPress || (event.type !== "keydown" && target?.closest("a, button, [role=button], [role=option]")))
      noteLeaving();
  };
  for (const type of ["keydown", "pointerup", "click", "change", "drop", "paste"])
    window.addEventListener(type, noteInput, true);
  window.addEventListener("popstate", noteLeaving, true);

  function isFree(now) {
    if (now <= inputAt + CALM || now <= startedAt + APART) return false;
    if (!appState("script", "notRunning")) {
      hasRun = true;
      restedAt = 0;
      return now > Math.max(waitingSince, leftAt + LEAVING) + RUN_WITHIN;
    }
    restedAt ||= now;
    if (!hasRun && now < leftAt + LEAVE_WITHIN) return false;  // the run that a click starts is not there yet
    return now > leftAt + LEAVING || now >= restedAt + STEADY;
  }

  function pump() {
    pumpTimer = undefined;
    const now = Date.now();
    for (let at = jobs.length - 1; at >= 0; at--) if (!jobs[at].isWanted()) jobs.splice(at, 1);
    const isAnswered = current === null || !current.isWanted() || now > startedAt + RUN_WITHIN;
    if (jobs.length > 0 && isFree(now) && isAnswered) {
      // Text that keeps coming is urgent each time; on a slow machine nothing else would ever have its turn.
      const late = jobs.findIndex((job) => now > job.since + OVERDUE);
      [current] = jobs.splice(Math.max(late, 0), 1);
      startedAt = waitingSince = now;
      current.run();
    }
    if (jobs.length > 0) pumpTimer = setTimeout(pump, POLL);
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
    // A job is {isWanted(), run()}; it stays wanted until what it asked for has come.
    ask(job, isUrgent) {
      if (jobs.length === 0) waitingSince = Date.now();
      job.since = Date.now();
      if (isUrgent) jobs.unshift(job); else jobs.push(job);
      pumpTimer ??= setTimeout(pump, 0);
    },
  };
}

window.luluHub ??= makeHub();
for (const enter of (window.luluHubWaiting ?? []).splice(0)) enter(window.luluHub);

export default function () {}
"""
)

#: A bell asks for a run when its topic's number is above the one its fragment has drawn. New data is the answer; where
#: none comes in time (the run was cut short by another), it asks again.
_BELL_JS = r"""
const RUN_WITHIN = 3000, SAME_AGAIN = 1000;
const waiting = (window.luluHubWaiting ??= []);

function hang(hub, { key, data, setTriggerValue }) {
  const bells = (hub.bells ??= new Map());
  const before = bells.get(key);
  clearTimeout(before?.timer);
  const bell = {
    topic: data.topic, asked: before?.asked ?? 0, askedAt: before?.askedAt ?? 0, isAsking: false,
    ring(number) {
      const newest = Math.max(number, hub.last("ring", bell.topic) ?? 0);
      if (newest <= data.seen || bell.isAsking) return;
      const wait = newest <= bell.asked ? bell.askedAt + SAME_AGAIN - Date.now() : 0;
      clearTimeout(bell.timer);
      if (wait > 0) bell.timer = setTimeout(() => bell.ring(newest), wait);
      else bell.ask(newest);
    },
    tick() { if (!bell.isAsking) bell.ask(0); },
    ask(number) {
      bell.isAsking = true;
      const isWanted = () => bell.isAsking && bells.get(key) === bell;
      const run = () => {
        Object.assign(bell, { asked: number, askedAt: Date.now() });
        bell.timer = setTimeout(() => { bell.isAsking = false; bell.ring(0); }, RUN_WITHIN);
        setTriggerValue("ring", number);
      };
      hub.ask({ isWanted, run }, bell.topic.startsWith("session:"));
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

export default function (drawn) {
  let takeDown = null, isGone = false;
  const enter = (hub) => { if (!isGone) takeDown = hang(hub, drawn); };
  if (window.luluHub) enter(window.luluHub); else waiting.push(enter);
  return () => { isGone = true; takeDown?.(); };
}
"""

_mount_hub = st.components.v2.component("lulu_hub", js=_HUB_JS)
_mount = st.components.v2.component("lulu_bell", js=_BELL_JS, isolate_styles=False)


def hub() -> None:
    """What all bells of a page hang on; drawn once in each run of the whole page, before them."""
    _mount_hub(key="hub", height="content")
    _outlive_the_session()


def bell(topic: str, *, seen: int, key: str) -> None:
    """Rerun the fragment that calls this when ``topic`` has rung past ``seen``.

    ``seen`` is ``Bus.version(topic)``, read in the same run *before* the rows. Call it *last* in the fragment: its
    arrival tells the browser that everything above it has come. ``key`` is unique on the page.
    """
    # ``run`` makes each run's data new: it tells the browser that the run it asked for has come.
    data = {"topic": topic, "seen": seen, "run": time.monotonic_ns()}
    _mount(key=f"bell_{key}", data=data, height="content", on_ring_change=_rerun)


def _rerun() -> None:
    """The trigger itself is what reruns the fragment."""


@st.fragment(run_every=timedelta(days=1))
def _outlive_the_session() -> None:
    """Make Streamlit's client rerun the page when it reconnects, which it does where something runs by itself.

    After a restart, or a minute of sleep, the server has a new session that knows no fragment to ring.
    """
