import { fieldOf, isConverting, isKey, isThirdLevel } from "./keys.js";

const FIELD = ".st-key-session_search input",
  PROMPT = ".st-key-prompt";
// Which keys press which links, which lead anywhere at all, and which leads to the search.
let links = {},
  leading = [],
  search = null;
let send = null;

// What is pressed while somebody writes is for the field alone: a conversion's Enter sends nothing, and a letter that a
// keyboard writes with Alt presses no button. Streamlit hears a key after the window does, and is not told of these.
function isWritten(event) {
  if (fieldOf(event) === null) return false;
  if (isConverting(event)) return true;
  const mayWrite = event.key?.length === 1 || /^(Dead|Process|Unidentified)$/.test(event.key);
  return mayWrite && (event.altKey || isThirdLevel(event)) && !leading.some((key) => isKey(event, key));
}

window.addEventListener(
  "keydown",
  (event) => {
    const field = fieldOf(event);
    let target = null;
    for (const [key, link] of Object.entries(links)) if (isKey(event, key)) target = document.querySelector(link);
    if (target === null && isWritten(event)) {
      event.stopImmediatePropagation();
      return;
    }
    target?.click();
    // A live field tells every letter and no Enter.
    if (event.key === "Enter" && field?.closest(FIELD) && field.value.trim()) send?.(field.value.trim());
    // Out of the box, so that the keys lead about again.
    if (event.key === "Escape" && field?.closest(PROMPT)) field.blur();
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (event.key === search && isPlain && field === null) {
      target = document.querySelector(FIELD);
      target?.focus();
    }
    if (target) event.preventDefault();
  },
  true,
);

export default function ({ data, setTriggerValue }) {
  ({ links, leading, search } = data);
  send = (text) => setTriggerValue("text", text);
}
