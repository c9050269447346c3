import { isAtRest, isConnected } from "./streamlit_dom.js";

// The page's one socket, as `window.luluHub`: every component that hears from the server joins it (hub_member.js).
// Messages are {kind: {topic: value}}; a member has one function for each kind that it wants. A component of its own:
// Streamlit sends the text of a component each time it is drawn.

const OPEN_WITHIN = 3000,
  TICK = 1000,
  ANSWER_WITHIN = 2000,
  QUIET = 30000,
  LINGER = 5000;
const BACKOFF = [250, 500, 1000, 2000, 4000, 8000];
const RUN_WITHIN = 3000,
  CALM = 20,
  APART = 10,
  POLL = 10,
  LEAVE_WITHIN = 400,
  LEAVING = 2000,
  STEADY = 50;
const OVERDUE = 300;

function makeHub(path) {
  const members = new Map();
  const last = new Map();
  let socket = null,
    listening = "",
    failures = 0,
    heardAt = 0;
  let openTimer,
    retryTimer,
    answerTimer,
    lingerTimer,
    tickTimer,
    planned = false;

  const isOpen = () => socket !== null && socket.readyState === WebSocket.OPEN;

  function connect() {
    clearTimeout(retryTimer);
    if (socket !== null || members.size === 0) return;
    const mine = new WebSocket(location.origin.replace(/^http/, "ws") + path);
    socket = mine;
    openTimer = setTimeout(() => drop(mine), OPEN_WITHIN);
    mine.onopen = () => {
      clearTimeout(openTimer);
      failures = 0;
      listening = "";
      stopTicking();
      listen();
    };
    mine.onmessage = (event) => hear(JSON.parse(event.data));
    mine.onclose = () => {
      drop(mine);
      leaveIfEnded();
    };
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
    fetch("/", { method: "HEAD", cache: "no-store" }).then(
      (answer) => {
        if (answer.status === 401) {
          window.luluUnsent?.forget();
          location.reload();
        }
      },
      () => {},
    );
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
      if (document.hidden || !isConnected(true)) return;
      for (const member of [...members.values()]) member.tick?.();
    }, TICK);
  }

  function stopTicking() {
    clearInterval(tickTimer);
    tickTimer = undefined;
  }

  // The machine may have slept: a socket can look open and be gone.
  function check() {
    if (document.hidden || members.size === 0) return;
    if (!isOpen()) {
      failures = 0;
      connect();
      return;
    }
    const mine = socket;
    listen(true);
    clearTimeout(answerTimer);
    answerTimer = setTimeout(() => {
      drop(mine);
      connect();
    }, ANSWER_WITHIN);
  }

  // One run at a time, none in the moment of a click or a key, and none while the page is being left:
  // - Streamlit's client sends the triggers of one moment as one message, for one fragment only;
  // - its server throws away what a run has drawn when the next request comes as the run ends;
  // - a fragment's message carries the page that it was sent from: answered after the run of the next page, it is
  //   taken for a change of page, which empties the window.
  const jobs = [];
  let current = null,
    startedAt = 0,
    waitingSince = 0,
    pumpTimer;
  let inputAt = 0,
    leftAt = 0,
    hasRun = true,
    restedAt = 0;
  const noteLeaving = () => {
    leftAt = Date.now();
    hasRun = false;
  };
  const noteInput = (event) => {
    inputAt = Date.now();
    const target = event.target instanceof Element ? event.target : null;
    const isPress = event.type === "keydown" && (event.key === "Enter" || event.altKey); // Alt: a button's shortcut
    if (isPress || (event.type !== "keydown" && target?.closest("a, button, [role=button], [role=option]")))
      noteLeaving();
  };
  for (const type of ["keydown", "pointerup", "click", "change", "drop", "paste"])
    window.addEventListener(type, noteInput, true);
  window.addEventListener("popstate", noteLeaving, true);

  function isFree(now) {
    if (now <= inputAt + CALM || now <= startedAt + APART) return false;
    if (!isAtRest(true)) {
      hasRun = true;
      restedAt = 0;
      return now > Math.max(waitingSince, leftAt + LEAVING) + RUN_WITHIN;
    }
    restedAt ||= now;
    if (!hasRun && now < leftAt + LEAVE_WITHIN) return false; // the run that a click starts is not there yet
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
  setInterval(() => {
    if (isOpen() && Date.now() - heardAt > QUIET) check();
  }, QUIET / 2);

  return {
    join(key, member) {
      clearTimeout(lingerTimer);
      members.set(key, member);
      if (!planned) {
        planned = true;
        queueMicrotask(() => listen());
      }
      connect();
    },
    leave(key, member) {
      if (members.get(key) !== member) return;
      members.delete(key);
      if (members.size > 0) return;
      stopTicking();
      clearTimeout(retryTimer);
      lingerTimer = setTimeout(() => {
        if (members.size === 0 && socket !== null) drop(socket);
      }, LINGER);
    },
    last: (kind, topic) => last.get(kind + " " + topic),
    // A job is {isWanted(), run()}; it stays wanted until what it asked for has come.
    ask(job, isUrgent) {
      if (jobs.length === 0) waitingSince = Date.now();
      job.since = Date.now();
      if (isUrgent) jobs.unshift(job);
      else jobs.push(job);
      pumpTimer ??= setTimeout(pump, 0);
    },
  };
}

export default function ({ data }) {
  window.luluHub ??= makeHub(data.path);
  for (const enter of (window.luluHubWaiting ?? []).splice(0)) enter(window.luluHub);
}
