/** What readers choose of how the page looks, kept for the next time. `early.js` has shown what was kept. */
import { remember, remembered } from "./memory.js";

const THEMES = ["system", "light", "dark"];

/** The theme, the side that the page speaks to, and the language of samples. */
export function startChoices() {
  startTheme();
  startSide();
  startLanguages();
}

function startTheme() {
  const toggle = document.getElementById("theme");
  const chosen = document.documentElement.dataset;
  toggle.textContent = `Theme: ${chosen.theme}`;
  toggle.addEventListener("click", () => {
    chosen.theme = THEMES[(THEMES.indexOf(chosen.theme) + 1) % THEMES.length];
    toggle.textContent = `Theme: ${chosen.theme}`;
    remember("theme", chosen.theme);
  });
}

function startSide() {
  document.getElementById(`side-${document.documentElement.dataset.side}`).checked = true;
  for (const choice of document.querySelectorAll(".sides input")) {
    choice.addEventListener("change", () => {
      document.documentElement.dataset.side = choice.value;
      remember("side", choice.value);
    });
  }
}

function startLanguages() {
  const kept = remembered("language");
  if (kept) chooseLanguage(kept);
  document.addEventListener("change", (event) => {
    if (!event.target.matches(".tabs > input")) return;
    const before = event.target.getBoundingClientRect().top;
    chooseLanguage(event.target.value);
    scrollBy(0, event.target.getBoundingClientRect().top - before);
    remember("language", event.target.value);
  });
}

function chooseLanguage(language) {
  for (const input of document.querySelectorAll(".tabs > input")) {
    if (input.value === language) input.checked = true;
  }
}
