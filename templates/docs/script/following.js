/** The table of contents follows the scroll: the link of what is read now is marked. */

/** Marks links as their places come and go; `seen` is called for each part when it comes into view first. */
export function startFollowing(seen) {
  const contents = document.getElementById("contents");
  const links = new Map([...contents.querySelectorAll("a")].map((link) => [link.hash.slice(1), link]));
  const places = [...document.querySelectorAll("#content > section, .part")];
  const near = new Set();
  const known = new Set();
  let current;
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) near.add(target);
        else near.delete(target);
        if (isIntersecting && target.matches(".part") && !known.has(target)) {
          known.add(target);
          seen(target);
        }
      }
      const link = innermost(near, links);
      if (!link || link === current) return;
      current?.removeAttribute("aria-current");
      link.setAttribute("aria-current", "location");
      current = link;
      if (getComputedStyle(contents).position === "sticky") nudge(contents, link);
    },
    { rootMargin: "-80px 0px -75% 0px" },
  );
  for (const place of places) observer.observe(place);
}

function innermost(near, links) {
  const ordered = [...near].sort((a, b) => (a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1));
  const found = ordered.map((place) => links.get(place.id || place.getAttribute("aria-labelledby"))).filter(Boolean);
  return found.at(ordered.some((place) => place.matches(".part")) ? -1 : 0);
}

function nudge(contents, link) {
  const box = contents.getBoundingClientRect();
  const at = link.getBoundingClientRect();
  if (at.top < box.top + 40) contents.scrollTop -= box.top + 40 - at.top;
  else if (at.bottom > box.bottom - 60) contents.scrollTop += at.bottom - box.bottom + 60;
}
