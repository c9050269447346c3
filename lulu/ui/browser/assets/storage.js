// What a tab (sessionStorage) or the browser (localStorage) keeps. A private window, or a full one, keeps nothing.

// Before a session's id: where it was read.
export const READ = "lulu-read:";
// The hit of a search that was followed last: its event and the query.
export const FOUND = "lulu-found";

export function get(storage, key) {
  try {
    return JSON.parse(window[storage].getItem(key));
  } catch {
    return null;
  }
}
export function put(storage, key, value) {
  try {
    if (value === null) window[storage].removeItem(key);
    else window[storage].setItem(key, JSON.stringify(value));
  } catch {
    // See above.
  }
}
