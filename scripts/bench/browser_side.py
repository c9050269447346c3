"""What runs in the browser: finds out when something is in view, in painted frames, without Playwright's own delays."""

#: For every page, before its own scripts: ``bench.seen(text)`` and, for texts like ``mark 12;``, when each came.
NOTES = r"""
(() => {
  const inView = (text) => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    // The newest text is among the last ones: look from the end, and not at all of a page of 100,000 events.
    for (let node = walker.lastChild(), left = 5000; node && left > 0; node = walker.previousNode(), left--)
      if (node.data.includes(text)) {
        const box = node.parentElement.getBoundingClientRect();
        const isShown = node.parentElement.checkVisibility({ opacityProperty: true, visibilityProperty: true });
        if (isShown && box.height > 0 && box.bottom > 0 && box.top < innerHeight) return true;
      }
    return false;
  };
  const marks = {};
  const look = (found) => {
    for (const [, number] of found.matchAll(/mark (\d+);/g)) {
      if (marks[number]) continue;
      marks[number] = -1;
      requestAnimationFrame(() => { marks[number] = Date.now(); });
    }
  };
  new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.type === "characterData") look(change.target.data);
      for (const node of change.addedNodes) look(node.textContent ?? "");
    }
  }).observe(document, { subtree: true, childList: true, characterData: true });
  // Resolves with performance.now() of the first frame in which the text is in view.
  const seen = (text) => new Promise((done, failed) => {
    const giveUpAt = performance.now() + 110000;
    const check = () => {
      if (document.body && inView(text)) done(performance.now());
      else if (performance.now() > giveUpAt) failed(new Error(`"${text}" did not come into view in 110 s`));
      else requestAnimationFrame(check);
    };
    check();
  });
  window.bench = { seen, marks };
  addEventListener("click", () => { bench.clickedAt = performance.now(); }, true);
})();
"""

#: Milliseconds since the page's load began.
FIRST_SEEN = "text => bench.seen(text)"

#: Look out for a text before the click that will bring it …
ARM = "text => { bench.armed = bench.seen(text); bench.armed.catch(() => {}); }"
#: … and then: milliseconds from that click.
SINCE_CLICK = "async () => await bench.armed - bench.clickedAt"

#: When each text like ``mark 12;`` was painted (milliseconds since the epoch).
MARKS = "() => bench.marks"
