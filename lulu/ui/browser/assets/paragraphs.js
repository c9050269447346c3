// Where blocks of markdown end, as in lulu/text/paragraphs.py: tests/text/paragraphs.json is what both are held to.

export const FENCE = /^[^\S\n]*(`{3,}(?=[^`\n]*(?:\n|$))|~{3,})(.*)\n?/;
const HEAD = /^#{1,6} /,
  ITEM = /^[^\S\n]*(?:[-*+]|\d{1,9}[.)]) /;

export function blocks(text) {
  const found = [""];
  let fence = "";
  for (const line of text.split(/(?<=\n)/)) {
    const marks = line.match(FENCE),
      isHead = HEAD.test(line);
    if (!fence && (marks || isHead || ITEM.test(line))) found.push("");
    if (fence || line.trim() !== "") found[found.length - 1] += line;
    if (!fence && marks) fence = marks[1];
    else if (!fence && (isHead || line.trim() === "")) found.push("");
    else if (fence && marks?.[1].startsWith(fence) && marks[2].trim() === "" && line.endsWith("\n")) {
      fence = "";
      found.push("");
    }
  }
  return found.filter((block) => block.trim() !== "");
}
