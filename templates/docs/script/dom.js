/** Elements made of values: texts become text nodes, and never markup. */

import { plainly } from "./wording.js";

let made = 0;

/** An id that no other element has. */
export function freshId(stem) {
  made += 1;
  return `${stem}-${made}`;
}

/** An element. Attributes that are functions are listeners, `undefined` and `false` leave an attribute out. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (name === "value") element.value = value;
    else if (value === true) element.setAttribute(name, "");
    else if (value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== ""));
  return element;
}

/** A button that does something. */
export function button(text, act, attributes = {}) {
  return make("button", { type: "button", click: act, ...attributes }, text);
}

/** A choice of `[value, text]` pairs. */
export function choice(options, chosen, attributes = {}) {
  const made = options.map(([value, text]) => make("option", { value, selected: value === chosen }, text));
  return make("select", attributes, made);
}

/** A control with its label above it, and what is said of it below. */
export function labelled(text, control, { required = false, description = "", tools = [] } = {}) {
  control.id ||= freshId("control");
  const mark = required ? make("span", { class: "needed" }, " required") : "";
  const note = description ? make("small", { id: freshId("note"), class: "quiet" }, plainly(description)) : "";
  if (note) control.setAttribute("aria-describedby", note.id);
  const line = make("div", { class: "label-line" }, make("label", { for: control.id }, text, mark), tools);
  return make("div", { class: "control" }, line, control, note);
}
