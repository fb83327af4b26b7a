/** What the page does beside being read. */
import { built } from "./building.js";
import { startChoices } from "./choices.js";
import { startFollowing } from "./following.js";
import { startLanding } from "./landing.js";
import { startSearch } from "./search.js";
import { addUnfolding } from "./unfolding.js";

function startCopying() {
  document.addEventListener("click", async (event) => {
    const copy = event.target.closest(".copy");
    if (!copy) return;
    const text = copy.parentElement.querySelector("code, output").textContent;
    try {
      await navigator.clipboard.writeText(text);
      copy.textContent = "Copied";
    } catch {
      copy.textContent = "Not allowed";
    }
    setTimeout(() => (copy.textContent = "Copy"), 1500);
  });
}

function startBuilding() {
  document.addEventListener("input", (event) => {
    const form = event.target.closest(".address");
    if (!form) return;
    const blanks = [...form.querySelectorAll("[data-name]")];
    const pairs = (...places) =>
      blanks.filter((one) => places.includes(one.dataset.place)).map((one) => [one.dataset.name, one.value]);
    const server = pairs("server")[0]?.[1] ?? form.dataset.server;
    const values = new Map(pairs("variable", "path"));
    form.querySelector("output").textContent = built(server, form.dataset.path, values, pairs("query"));
  });
}

function startMenu() {
  const menu = document.getElementById("menu");
  const contents = document.getElementById("contents");
  const show = (isOpen) => {
    contents.classList.toggle("open", isOpen);
    menu.setAttribute("aria-expanded", String(isOpen));
  };
  menu.addEventListener("click", () => show(!contents.classList.contains("open")));
  contents.addEventListener("click", (event) => {
    if (event.target.closest("a")) show(false);
  });
  contents.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    show(false);
    menu.focus();
  });
}

function startPrinting() {
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const one of folded) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of folded) one.open = false;
  });
}

startChoices();
startCopying();
startBuilding();
startMenu();
startPrinting();
startSearch();
startFollowing(addUnfolding);
startLanding();
