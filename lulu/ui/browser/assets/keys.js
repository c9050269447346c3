// For every script that hears keys. `fieldOf`: the field that an event writes in. `isKey`: whether an event is this key,
// `Alt+N` or another of that form, and leads somewhere: by its letter, or by its place where a keyboard writes another
// one with Alt. In a field that holds a text, and where the key writes a character or is part of a conversion, it is
// none: it belongs to what is being written.
const NOT_WRITTEN_IN = ["button", "checkbox", "color", "file", "image", "radio", "range", "reset", "submit"];
export function fieldOf(event) {
  const target = event.composedPath()[0];
  if (!(target instanceof HTMLElement)) return null;
  const isField =
    target.isContentEditable ||
    /^(TEXTAREA|SELECT)$/.test(target.tagName) ||
    (target.tagName === "INPUT" && !NOT_WRITTEN_IN.includes(target.type));
  return isField ? target : null;
}
export const isConverting = (event) => event.isComposing || event.keyCode === 229;
export const isThirdLevel = (event) => event.getModifierState?.("AltGraph") ?? false;
export function isKey(event, key) {
  const isChord = event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey;
  if (!isChord || isConverting(event) || isThirdLevel(event)) return false;
  const isLetter = /^[a-z]$/i.test(event.key);
  if (isLetter ? event.key.toUpperCase() !== key.at(-1) : event.code !== "Key" + key.at(-1)) return false;
  const field = fieldOf(event);
  return field === null || (isLetter && field.tagName !== "SELECT" && !(field.value ?? field.textContent));
}
