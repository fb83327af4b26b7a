/** Types that are described elsewhere on the page, shown where they are used when somebody wants to see them. */
import { button, make } from "./dom.js";

/** Gives the properties of an article that has come into view a button for each type that they link to. */
export function addUnfolding(article) {
  for (const row of article.querySelectorAll(".tree > li")) {
    const link = row.querySelector(':scope > .head > .type a[href^="#"]');
    const body = link && bodyOf(link);
    if (!body) continue;
    const unfold = button(`Show ${link.textContent}`, () => toggle(unfold, row, link), {
      class: "unfold",
      "aria-expanded": "false",
    });
    row.append(unfold);
  }
}

function bodyOf(link) {
  const text = document.getElementById(link.hash.slice(1))?.querySelector(".text");
  return text?.querySelector(":scope > .tree, :scope > .plain");
}

function toggle(unfold, row, link) {
  const isShown = unfold.getAttribute("aria-expanded") === "true";
  unfold.setAttribute("aria-expanded", String(!isShown));
  unfold.textContent = `${isShown ? "Show" : "Hide"} ${link.textContent}`;
  if (isShown) {
    row.querySelector(":scope > .unfolded").remove();
    return;
  }
  const copy = bodyOf(link).cloneNode(true);
  for (const element of copy.querySelectorAll(".unfold, .unfolded")) element.remove();
  for (const element of copy.querySelectorAll("[id]")) element.removeAttribute("id");
  const shown = make("div", { class: "unfolded" }, copy);
  row.append(shown);
  addUnfolding(shown);
}
