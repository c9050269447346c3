// All that Lulu's scripts know of the page that Streamlit's client draws. An upgrade of Streamlit changes this file and
// styles.css, and no other.

export const MAIN = "[data-testid=stMain]";
export const MAIN_CONTENT = "[data-testid=stMainBlockContainer]";
export const SIDEBAR = "[data-testid=stSidebar]";
export const SIDEBAR_COLLAPSE = "[data-testid=stSidebarCollapseButton] button";
export const BOTTOM = "[data-testid=stBottom]";
export const POPOVER = "[data-testid=stPopoverBody]";
export const ELEMENT = "[data-testid=stElementContainer]";
export const SKELETON = "[data-testid=stSkeleton]";
export const MARKDOWN = "[data-testid=stMarkdown]";
export const MARKDOWN_CONTENT = "[data-testid=stMarkdownContainer]";
export const MESSAGE = "[data-testid=stChatMessageContent] > [data-testid=stVerticalBlock]";
export const CHAT_INPUT = "[data-testid=stChatInput]";
export const CHAT_SUBMIT = "[data-testid=stChatInputSubmitButton]";
export const PAGE_LINK = ".stPageLink";

// What the client says of itself; `otherwise` where it says nothing.
function isState(kind, wanted, otherwise) {
  const state = document.querySelector(".stApp")?.getAttribute(`data-test-${kind}-state`);
  return state == null ? otherwise : state === wanted;
}
export const isConnected = (otherwise = false) => isState("connection", "CONNECTED", otherwise);
export const isAtRest = (otherwise = false) => isState("script", "notRunning", otherwise);
export const isRunRequested = () => isState("script", "rerunRequested", false);

// The client draws the page of the address that it finds, as for Back and Forward.
export function drawPage() {
  window.dispatchEvent(new PopStateEvent("popstate", { state: {} }));
}
export function goToPage(address) {
  history.pushState({}, "", address);
  drawPage();
}
