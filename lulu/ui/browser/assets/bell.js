import { withHub } from "./hub_member.js";

// A bell asks for a run when its topic's number is above the one its fragment has drawn. New data is the answer; where
// none comes in time (the run was cut short by another), it asks again.

const RUN_WITHIN = 3000,
  SAME_AGAIN = 1000;

function hang(hub, { key, data, setTriggerValue }) {
  const bells = (hub.bells ??= new Map());
  const before = bells.get(key);
  clearTimeout(before?.timer);
  const bell = {
    topic: data.topic,
    asked: before?.asked ?? 0,
    askedAt: before?.askedAt ?? 0,
    isAsking: false,
    ring(number) {
      const newest = Math.max(number, hub.last("ring", bell.topic) ?? 0);
      if (newest <= data.seen || bell.isAsking) return;
      const wait = newest <= bell.asked ? bell.askedAt + SAME_AGAIN - Date.now() : 0;
      clearTimeout(bell.timer);
      if (wait > 0) bell.timer = setTimeout(() => bell.ring(newest), wait);
      else bell.ask(newest);
    },
    tick() {
      if (!bell.isAsking) bell.ask(0);
    },
    ask(number) {
      bell.isAsking = true;
      const isWanted = () => bell.isAsking && bells.get(key) === bell;
      const run = () => {
        Object.assign(bell, { asked: number, askedAt: Date.now() });
        bell.timer = setTimeout(() => {
          bell.isAsking = false;
          bell.ring(0);
        }, RUN_WITHIN);
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
  return withHub((hub) => hang(hub, drawn));
}
