// Without a secure address (another computer's, over http) browsers give no clipboard.
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    /* the old way */
  }
  const field = document.createElement("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  const isDone = document.execCommand("copy");
  field.remove();
  return isDone;
}

export default function ({ data, parentElement }) {
  const forms = parentElement.querySelector(".forms");
  const link = location.origin + location.pathname + data.link;
  forms.replaceChildren(
    ...Object.entries({ ...data.forms, Link: link }).map(([name, text]) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.onclick = async () => {
        button.textContent = (await copy(text)) ? "Copied" : "Not allowed here";
        setTimeout(() => {
          button.textContent = name;
        }, 1500);
      };
      return button;
    }),
  );
}
