// Runs `begin(hub)` as soon as the page has its hub. What `begin` returns is run by what this returns.
export function withHub(begin) {
  let end = null,
    isGone = false;
  const enter = (hub) => {
    if (!isGone) end = begin(hub);
  };
  if (window.luluHub) enter(window.luluHub);
  else (window.luluHubWaiting ??= []).push(enter);
  return () => {
    isGone = true;
    end?.();
    end = null;
  };
}
