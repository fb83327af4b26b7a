/** Words for people. */

import { written } from "./numbers.js";

/** `1 item`, `2 items`. */
export function count(number, noun) {
  const many = noun.endsWith("y") ? `${noun.slice(0, -1)}ies` : `${noun}s`;
  return `${number} ${number === 1 ? noun : many}`;
}

/** The name of a type with its article. */
export function article(type) {
  if (type === "null") return type;
  return `${/^[aio]/.test(type) ? "an" : "a"} ${type}`;
}

/** A value as JSON, cut where it is long. */
export function show(value) {
  const text = written(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** Values, the first few. */
export function list(values) {
  const shown = values.slice(0, 8).map(show).join(", ");
  return values.length > 8 ? `${shown} and ${values.length - 8} more` : shown;
}

/** A description, which is Markdown, as the words that it has. */
export function plainly(markdown) {
  return markdown.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/[\x60*]+/g, "");
}
