/** Arriving at a place of the page: what is folded around it is unfolded, and it is moved into view. */

/** Shows a place, and moves the focus there. */
export function land(target) {
  for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  document.querySelector(".landed")?.classList.remove("landed");
  target.classList.add("landed");
  target.scrollIntoView({ block: "start" });
  if (!target.matches("a, button, input, [tabindex]")) target.setAttribute("tabindex", "-1");
  target.focus({ preventScroll: true });
  // What is drawn only when it comes near has its true height now, so that the place may have moved.
  requestAnimationFrame(() => requestAnimationFrame(() => target.scrollIntoView({ block: "start" })));
}

/** Follows the links of the page, and the one that it was opened with. */
export function startLanding() {
  const go = () => {
    const target = document.getElementById(decodedHash());
    if (target) land(target);
  };
  addEventListener("hashchange", go);
  if (location.hash.length > 1) go();
}

function decodedHash() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return "";
  }
}
