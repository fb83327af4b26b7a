/** What readers choose of how the page looks, kept for the next time where the browser allows it. */

const THEMES = ["system", "light", "dark"];

function remembered(name) {
  try {
    return localStorage.getItem(`sockspec-${name}`) ?? "";
  } catch {
    return "";
  }
}

function remember(name, value) {
  try {
    localStorage.setItem(`sockspec-${name}`, value);
  } catch {
    // A browser that keeps nothing shows the page as it is.
  }
}

/** The theme, the side that the page speaks to, and the language of samples. */
export function startChoices() {
  startTheme();
  startSide();
  startLanguages();
}

function startTheme() {
  const toggle = document.getElementById("theme");
  const show = (theme) => {
    document.documentElement.dataset.theme = theme;
    toggle.textContent = `Theme: ${theme}`;
  };
  const kept = remembered("theme");
  show(THEMES.includes(kept) ? kept : "system");
  toggle.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length];
    show(next);
    remember("theme", next);
  });
}

function startSide() {
  const side = remembered("side") === "server" ? "server" : "client";
  document.documentElement.dataset.side = side;
  document.getElementById(`side-${side}`).checked = true;
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
