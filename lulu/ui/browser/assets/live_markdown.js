import { FENCE } from "./paragraphs.js";

// Markdown that is still being written, as elements. `patch(node, markdown(text))` makes the children of `node` show a
// text; a text node that only grows stays, since somebody may be selecting in it. `goingOn` and `place` are for a text
// whose beginning is drawn above the node.

const HEADING = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))??(?:[ \t]+#+)?[ \t]*$/,
  QUOTE = /^ {0,3}> ?/;
const BULLET = /^( {0,3})([-*+]|\d{1,9}[.)])(?:( {1,4})(?! )|$| (?= ))/,
  INDENTED = /^(?: {4}|\t)/;
const RULE = /^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$/,
  UNDERLINE = /^ {0,3}(=+|-+)[ \t]*$/;
const DELIMITERS = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;
// Each mark is looked for so far and no farther: a text takes no more than its length.
const INLINE = new RegExp(
  [
    /(?<![`])(?<ticks>`+)(?!`)(?<code>[^]{1,500}?)(?<!`)\k<ticks>(?!`)/,
    /\\(?<escaped>[!-/:-@[-`{-~])/,
    /(?<hard> {2,9}\n|\\\n)/,
    /(?<soft>\n)/,
    /(?<entity>&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|[A-Za-z]\w{1,30});)/,
    /!?\[(?<link>(?:[^[\]\\]|\\.){0,500})\]\((?:https?:|mailto:)[^()\s]{0,999}(?:\([^()\s]{0,99}\)[^()\s]{0,99})?\)/,
    /~~(?<gone>(?!\s)[^~]{1,500}?(?<!\s))~~/,
    /(?<mark>\*{1,3})(?<said>(?![\s*])[^]{1,500}?(?<![\s*]))\k<mark>(?!\*)/,
    /(?<![\p{L}\p{N}_])(?<under>_{1,3})(?<spoken>(?![\s_])[^]{1,500}?(?<![\s_]))\k<under>(?![\p{L}\p{N}_])/,
  ]
    .map((part) => part.source)
    .join("|"),
  "gu",
);
const PARSED = 20_000,
  DEEPEST = 12;

const element = (tag, children, attributes = {}) => ({ tag, children, attributes });
const entity = (typed) => new DOMParser().parseFromString(typed, "text/html").documentElement.textContent;
// As in lulu/text/markdown.py: the first level is the page's title.
const heading = (level) => `h${Math.min(level + 1, 6)}`;
const trimmed = (line) => line.replace(/^[ \t]+/, "");

function inline(text, depth = 0) {
  if (depth > DEEPEST) return [text];
  const found = [];
  let from = 0;
  const say = (words) => {
    if (typeof found.at(-1) === "string" && typeof words === "string") found[found.length - 1] += words;
    else if (words !== "") found.push(words);
  };
  for (const match of text.matchAll(INLINE)) {
    const { code, ticks, escaped, hard, soft, link, entity: sign, gone, mark, said, under, spoken } = match.groups;
    say(text.slice(from, match.index));
    from = match.index + match[0].length;
    if (ticks) say(element("code", [code.replace(/\n/g, " ").replace(/^ (.*\S.*) $/, "$1")]));
    else if (escaped) say(escaped);
    else if (hard) say(element("br", []));
    else if (soft) say(" ");
    else if (link !== undefined) say(match[0][0] === "!" ? match[0] : element("a", inline(link, depth + 1)));
    else if (sign) say(entity(sign));
    else if (gone) say(element("del", inline(gone, depth + 1)));
    else {
      const inner = inline(said ?? spoken, depth + 1),
        marks = (mark ?? under).length;
      say(
        marks === 1
          ? element("em", inner)
          : marks === 2
            ? element("strong", inner)
            : element("em", [element("strong", inner)]),
      );
    }
  }
  say(text.slice(from));
  return found;
}

const cells = (row) =>
  row
    .trim()
    .replace(/^\|/, "")
    .replace(/(?<!\\)\|$/, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll("\\|", "|"));
const opens = (line) =>
  FENCE.test(line) ||
  HEADING.test(line) ||
  QUOTE.test(line) ||
  RULE.test(line) ||
  /^ {0,3}(?:[-*+]|1[.)]) +\S/.test(line);

// What a container (a quote or an item) holds from a line on: the lines that `inside` gives back without its marks, and
// those that go on with its last paragraph. Returns the lines, and where it ends.
function held(lines, start, inside) {
  const found = [];
  let at = start,
    isParagraph = false;
  for (; at < lines.length; at += 1) {
    const part = inside(lines[at], at === start);
    if (part === null && (!isParagraph || lines[at].trim() === "" || opens(lines[at]))) break;
    found.push(part ?? trimmed(lines[at]));
    isParagraph = found.at(-1).trim() !== "" && !FENCE.test(found.at(-1)) && !HEADING.test(found.at(-1));
  }
  return [found, at];
}

function list(lines, start, depth, isLoose) {
  const kind = lines[start].match(BULLET)[2].slice(-1),
    items = [];
  let at = start;
  while (at < lines.length) {
    const bullet = lines[at].match(BULLET);
    if (!bullet || bullet[2].slice(-1) !== kind || RULE.test(lines[at])) break;
    const indent = bullet[1].length + bullet[2].length + (bullet[3]?.length ?? 1);
    const isIn = (line) => line.trim() === "" || line.search(/\S/) >= indent;
    const [found, next] = held(lines, at, (line, isFirst) => (isFirst || isIn(line) ? line.slice(indent) : null));
    while (found.length > 1 && found.at(-1) === "") found.pop();
    const inner = found.some((line) => FENCE.test(line)) ? [] : found;
    isLoose ||= inner.some((line, n) => line === "" && /^\S/.test(inner[n + 1] ?? ""));
    const goesOn = next < lines.length && lines[next].match(BULLET)?.[2].slice(-1) === kind && !RULE.test(lines[next]);
    isLoose ||= goesOn && lines[next - 1].trim() === "";
    items.push([found, bullet[2]]);
    at = next;
  }
  const made = items.map(([found]) =>
    element(
      "li",
      parsed(found, depth + 1).flatMap((part) => (!isLoose && part.tag === "p" ? part.children : [part])),
    ),
  );
  const asBox = (words) => words.replace(/^\[ \] /, "☐ ").replace(/^\[[xX]\] /, "☑ ");
  for (const { children } of made) if (typeof children[0] === "string") children[0] = asBox(children[0]);
  const number = parseInt(items[0][1], 10);
  return [isNaN(number) ? element("ul", made) : element("ol", made, { start: `${number}` }), at];
}

function parsed(lines, depth = 0, isLoose = false) {
  const found = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at],
      fence = line.match(FENCE),
      head = line.match(HEADING);
    if (line.trim() === "") at += 1;
    else if (depth > DEEPEST) {
      found.push(element("p", [lines.slice(at).join("\n")]));
      break;
    } else if (fence) {
      const rest = lines.slice(at + 1);
      const end = rest.findIndex((one) => one.trim().startsWith(fence[1]) && /^(`+|~+)$/.test(one.trim()));
      const indent = line.search(/\S/);
      const dedented = (one) => one.slice(Math.min(indent, one.search(/\S|$/)));
      const code = rest.slice(0, end < 0 ? undefined : end).map(dedented);
      found.push(element("pre", [code.join("\n").replace(/\n$/, "")]));
      at = end < 0 ? lines.length : at + end + 2;
    } else if (head) {
      found.push(element(heading(head[1].length), inline(head[2] ?? "")));
      at += 1;
    } else if (RULE.test(line)) {
      found.push(element("hr", []));
      at += 1;
    } else if (INDENTED.test(line)) {
      const first = at;
      while (at < lines.length && (INDENTED.test(lines[at]) || lines[at].trim() === "")) at += 1;
      found.push(
        element("pre", [
          lines
            .slice(first, at)
            .map((one) => one.replace(INDENTED, ""))
            .join("\n")
            .trimEnd(),
        ]),
      );
    } else if (QUOTE.test(line)) {
      const [inner, next] = held(lines, at, (one) => (QUOTE.test(one) ? one.replace(QUOTE, "") : null));
      found.push(element("blockquote", parsed(inner, depth + 1)));
      at = next;
    } else if (BULLET.test(line)) {
      const [made, next] = list(lines, at, depth, isLoose && found.length === 0);
      found.push(made);
      at = next;
    } else if (
      line.includes("|") &&
      DELIMITERS.test(lines[at + 1] ?? "") &&
      cells(line).length === cells(lines[at + 1]).length
    ) {
      const row = (tag, one) =>
        element(
          "tr",
          cells(line).map((_, n) => element(tag, inline(cells(one)[n] ?? ""))),
        );
      const rows = [];
      const first = at,
        isRow = (one) => one !== undefined && one.trim() !== "" && !opens(one);
      for (; at <= first + 1 || isRow(lines[at]); at += 1)
        if (at !== first + 1) rows.push(row(at === first ? "th" : "td", lines[at]));
      const body = rows.length > 1 ? [element("tbody", rows.slice(1))] : [];
      found.push(element("table", [element("thead", rows.slice(0, 1)), ...body]));
    } else {
      const first = at;
      const isMore = (one) => one !== undefined && one.trim() !== "" && !UNDERLINE.test(one) && !opens(one);
      for (at += 1; isMore(lines[at]);) at += 1;
      const words = inline(lines.slice(first, at).map(trimmed).join("\n").trimEnd());
      const underline = lines[at]?.match(UNDERLINE);
      if (underline) at += 1;
      found.push(element(underline ? heading(underline[1][0] === "=" ? 1 : 2) : "p", words));
    }
  }
  return found;
}

export function patch(node, children) {
  children.forEach((child, at) => {
    const isText = typeof child === "string",
      name = isText ? "#text" : child.tag.toUpperCase();
    let made = node.childNodes[at];
    if (made?.nodeName !== name) {
      const fresh = isText ? document.createTextNode("") : document.createElement(child.tag);
      if (made) made.replaceWith(fresh);
      else node.append(fresh);
      made = fresh;
    }
    if (!isText) {
      for (const [key, value] of Object.entries(child.attributes))
        if (made.getAttribute(key) !== value) made.setAttribute(key, value);
      patch(made, child.children);
    } else if (!child.startsWith(made.data)) made.data = child;
    else if (child.length > made.data.length) made.appendData(child.slice(made.data.length));
  });
  while (node.childNodes.length > children.length) node.lastChild.remove();
}

export function markdown(text, isLoose = false) {
  // What is longer is not meant to be read while it comes.
  return text.length > PARSED ? [element("pre", [text])] : parsed(text.split("\n"), 0, isLoose);
}

// -- what goes on below what is drawn already

const listIn = (item) => (/^[UO]L$/.test(item?.lastElementChild?.tagName ?? "") ? item.lastElementChild : null);

// A text whose beginning is drawn, where it ends with `above`: the rest of a list stays in it, as deep as it stands.
// Says also whether that makes its items stand apart.
export function goingOn(text, above, isAfterBlank) {
  const outer = above && /^[UO]L$/.test(above.tagName) ? above : null,
    bullet = text.match(BULLET);
  const around = [];
  let inner = outer,
    indent = text.search(/\S/);
  while (inner) {
    const width = inner.tagName === "OL" ? 3 : 2;
    if (indent < width) break;
    indent -= width;
    around.push([inner.tagName.toLowerCase(), width]);
    inner = listIn(inner.lastElementChild);
  }
  const cut = around.reduce((sum, [, width]) => sum + width, 0);
  const lines = text.split("\n").map((line) => line.slice(Math.min(cut, line.search(/\S|$/))));
  const isMore = outer && (around.length > 0 || (bullet && /\d/.test(bullet[2]) === (outer.tagName === "OL")));
  const isApart = Boolean(isMore) && (isAfterBlank || Boolean(inner?.lastElementChild?.querySelector(":scope > p")));
  const children = around.reduceRight(
    (made, [tag]) => [element(tag, [element("li", made, { class: "open" })])],
    markdown(lines.join("\n"), isApart && inner !== null),
  );
  return { children, isApart };
}

// How far the margins in a block reach beyond it, as they collapse.
function margin(node, side) {
  const style = getComputedStyle(node),
    own = parseFloat(style[`margin${side}`]) || 0;
  const child = side === "Top" ? node.firstElementChild : node.lastElementChild;
  const isClosed = parseFloat(style[`padding${side}`]) + parseFloat(style[`border${side}Width`]) > 0;
  const isBlock = child && !/^inline|^table|^none/.test(getComputedStyle(child).display);
  return isClosed || !isBlock || !/^(block|list-item)$/.test(style.display) ? own : Math.max(own, margin(child, side));
}

// As far below `above` as if both were one text.
export function place(part, above, isApart) {
  part.style.marginTop = "";
  const first = part.firstElementChild;
  if (!above || !first) return;
  const isList = above.tagName === first.tagName && /^[UO]L$/.test(first.tagName);
  const [before, after] = isList ? [above.lastElementChild, first.firstElementChild] : [above, first];
  const apart = isApart ? parseFloat(getComputedStyle(document.documentElement).fontSize) : 0;
  const wanted = Math.max(margin(before, "Bottom"), margin(after, "Top"), apart);
  const is = first.getBoundingClientRect().top - above.getBoundingClientRect().bottom;
  part.style.marginTop = `${wanted - is + parseFloat(getComputedStyle(part).marginTop)}px`;
}
