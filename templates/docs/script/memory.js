/** What readers choose is kept for the next time, where the browser allows it. */

/** What was kept under a name; empty where nothing was. */
export function remembered(name) {
  try {
    return localStorage.getItem(`sockspec-${name}`) ?? "";
  } catch {
    return "";
  }
}

/** Keeps a value. A browser that keeps nothing shows the page as it is. */
export function remember(name, value) {
  try {
    localStorage.setItem(`sockspec-${name}`, value);
  } catch {
    // Nothing is lost but the choice.
  }
}
