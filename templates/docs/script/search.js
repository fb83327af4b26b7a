/** The search over the page: a dialog with a line to type in, and a list to choose from. */
import { make } from "./dom.js";
import { indexed } from "./indexing.js";
import { land } from "./landing.js";
import { highlighted, ranked } from "./ranking.js";

let known;
let results = [];
let chosen = 0;

/** Makes the search work: `/` and Ctrl-K open it, arrows and Enter choose, Escape leaves. */
export function startSearch() {
  const dialog = document.getElementById("search");
  const input = document.getElementById("search-words");
  const list = document.getElementById("search-found");
  document.getElementById("search-opener").addEventListener("click", () => openSearch(dialog, input));
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest?.("input, textarea, select, [contenteditable]");
    const isAsked = (event.key === "/" && !isTyping) || (event.key === "k" && (event.ctrlKey || event.metaKey));
    if (!isAsked || event.altKey || dialog.open) return;
    event.preventDefault();
    openSearch(dialog, input);
  });
  input.addEventListener("input", () => search(input, list));
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (step && results.length) {
      event.preventDefault();
      const last = results.length - 1;
      const isAround = Math.abs(step) === 1;
      select(input, list, isAround ? (chosen + step + last + 1) % (last + 1) : Math.max(0, Math.min(last, chosen + step)));
    } else if (event.key === "Enter") {
      event.preventDefault();
      choose(dialog, chosen);
    } else if (event.key === "Escape" && !event.isComposing) {
      event.preventDefault(); // or the browser would clear the line, and leave only at the second time
      dialog.close();
    }
  });
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) choose(dialog, [...list.children].indexOf(option));
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
}

function openSearch(dialog, input) {
  known ??= indexed(document.getElementById("content"));
  dialog.showModal();
  input.select();
}

function search(input, list) {
  results = ranked(known, input.value);
  list.replaceChildren(...results.map((one, at) => option(one, at, input.value)));
  input.setAttribute("aria-expanded", String(results.length > 0));
  const told = document.getElementById("search-told");
  told.textContent = !input.value.trim() || results.length ? "" : "Nothing on this page has all these words.";
  select(input, list, 0);
}

function option(one, at, query) {
  const name = highlighted(one.name, query).map(([text, isHit]) => (isHit ? make("mark", {}, text) : text));
  return make(
    "li",
    { role: "option", id: `search-option-${at}`, "aria-selected": "false" },
    make("span", { class: "kind" }, one.kind),
    make("span", { class: "what" }, name),
    one.where ? make("div", { class: "where" }, one.where) : "",
    one.about ? make("div", { class: "about" }, one.about.slice(0, 200)) : "",
  );
}

function select(input, list, at) {
  list.children[chosen]?.setAttribute("aria-selected", "false");
  chosen = at;
  const option = list.children[at];
  if (!option) {
    input.removeAttribute("aria-activedescendant");
    return;
  }
  option.setAttribute("aria-selected", "true");
  option.scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", option.id);
}

function choose(dialog, at) {
  const one = results[at];
  if (!one) return;
  dialog.close();
  const anchor = one.target.closest("[id]")?.id;
  if (anchor) history.pushState(null, "", `#${anchor}`);
  land(one.target);
}
