/** Forms made from schemas: a control for each value, and faults beside them. */

import { button, choice, freshId, labelled, make } from "./dom.js";
import { equal, kindOf, parsed, written } from "./numbers.js";
import { alternatives, at, flattened, initial, typeOf, withValue } from "./payloads.js";
import { below } from "./validator.js";
import { plainly } from "./wording.js";

const DEEPEST_FORM = 12;
const MOST_CONTROLS = 400;
const LONG_TEXT = 200;

/** A form of a value by a schema, that tells `changed(value)` what becomes of the value. */
export class Form {
  element = make("div", { class: "form" });
  #schemas;
  #judge;
  #changed;
  #schema = true;
  #value;
  #places = new Map();
  #variants = new Map();
  #controls = 0;

  constructor(schemas, judge, changed) {
    this.#schemas = schemas;
    this.#judge = judge;
    this.#changed = changed;
  }

  /** Shows a value of a schema. */
  show(schema, value) {
    if (schema !== this.#schema) this.#variants = new Map();
    this.#schema = schema;
    this.#value = value;
    this.#render();
  }

  /** Marks what is at fault; says which faults are of no control here. */
  mark(faults) {
    for (const { control, message } of this.#places.values()) {
      message.textContent = "";
      control?.removeAttribute("aria-invalid");
    }
    return faults.filter((fault) => !this.#marked(fault));
  }

  #marked({ pointer, missing, message }) {
    const place =
      this.#places.get(missing === undefined ? pointer : below(pointer, missing)) ?? this.#places.get(pointer);
    if (place === undefined) return false;
    place.control?.setAttribute("aria-invalid", "true");
    place.message.textContent += `${place.message.textContent ? "; " : ""}${message}`;
    return true;
  }

  #render() {
    const focused = document.activeElement?.dataset?.pointer;
    this.#places = new Map();
    this.#controls = 0;
    this.element.replaceChildren(
      this.#field({ schema: this.#schema, value: this.#value, path: [], pointer: "", label: "" }),
    );
    if (focused !== undefined) this.#places.get(focused)?.control?.focus();
  }

  /** Changes the value at a path; `whole` where other controls are to be seen afterwards. */
  #set(path, value, whole = true) {
    this.#value = withValue(this.#value, path, value);
    if (whole) this.#render();
    this.#changed(this.#value);
  }

  /** A field has `schema, value, path, pointer, label, isRequired, remove`. */
  #field(field) {
    const flat = flattened(this.#schemas, field.schema);
    const own = typeof field.schema === "object" ? field.schema : {};
    const spoken = { ...field, flat, description: own.description ?? flat.description ?? "" };
    this.#controls += 1;
    if (field.path.length > DEEPEST_FORM || this.#controls > MOST_CONTROLS) return this.#json(spoken);
    const choices = alternatives(this.#schemas, flat);
    const mayBeNull = [flat.type].flat().includes("null") || choices.some((one) => one.type === "null");
    if (mayBeNull) return this.#nullable(spoken, choices);
    return choices.length > 1 ? this.#union(spoken, choices) : this.#plain(spoken);
  }

  #plain(field) {
    const { flat, value } = field;
    const kind = kindOf(value);
    if (Object.hasOwn(flat, "const") && equal(flat.const, value)) return this.#fixed(field);
    if (flat.enum?.length) return this.#listed(field);
    const type = typeOf(flat);
    if (type === "object" && kind === "object") return this.#object(field);
    if (type === "array" && kind === "array") return this.#array(field);
    if (type === "boolean" && kind === "boolean") return this.#boolean(field);
    if (["integer", "number"].includes(type) && ["number", "string"].includes(kind)) return this.#number(field);
    return type === "string" && kind === "string" ? this.#text(field) : this.#json(field);
  }

  /** A control with label, description and the place for its faults. */
  #control(field, control, tools = []) {
    const { label, isRequired, description, pointer, which, remove } = field;
    const buttons = [which, ...tools, remove].filter(Boolean);
    control.dataset.pointer = pointer;
    const element = labelled(label || "value", control, { required: isRequired, description, tools: buttons });
    const message = make("p", { id: freshId("fault"), class: "fault" });
    const described = [control.getAttribute("aria-describedby"), message.id].filter(Boolean).join(" ");
    control.setAttribute("aria-describedby", described);
    this.#places.set(pointer, { control, message });
    control.after(message);
    return element;
  }

  /** Several controls with a title. */
  #group(field, children) {
    const { label, isRequired, description, pointer, which, remove } = field;
    const message = make("p", { class: "fault" });
    this.#places.set(pointer, { message });
    const buttons = [which, remove].filter(Boolean);
    if (!label) return make("div", { class: "fields" }, buttons, message, children);
    const mark = isRequired ? make("span", { class: "needed" }, " required") : "";
    const note = description ? make("small", { class: "quiet" }, plainly(description)) : "";
    const line = buttons.length ? make("div", { class: "group-tools" }, buttons) : "";
    return make(
      "fieldset",
      {},
      make("legend", {}, label, mark),
      note,
      line,
      message,
      make("div", { class: "fields" }, children),
    );
  }

  #fixed(field) {
    const text = typeof field.value === "string" ? field.value : written(field.value);
    return this.#control(
      { ...field, isRequired: false },
      make("input", { value: text, readonly: true, class: "fixed" }),
    );
  }

  #listed(field) {
    const options = field.flat.enum.map((one, place) => [String(place), typeof one === "string" ? one : written(one)]);
    const place = field.flat.enum.findIndex((one) => equal(one, field.value));
    const shown = place < 0 ? [["", `${written(field.value)} (not listed)`], ...options] : options;
    const choose = (event) =>
      event.target.value && this.#set(field.path, field.flat.enum[Number(event.target.value)], place < 0);
    return this.#control(field, choice(shown, place < 0 ? "" : String(place), { change: choose }));
  }

  #boolean(field) {
    const set = (event) => this.#set(field.path, event.target.value === "true", false);
    return this.#control(
      field,
      choice(
        [
          ["false", "false"],
          ["true", "true"],
        ],
        String(field.value),
        { change: set },
      ),
    );
  }

  #number(field) {
    const read = (event) => this.#set(field.path, numberOf(event.target.value), false);
    const mode = typeOf(field.flat) === "integer" ? "numeric" : "decimal";
    const text = typeof field.value === "string" ? field.value : written(field.value);
    return this.#control(field, make("input", { value: text, inputmode: mode, autocomplete: "off", input: read }));
  }

  #text(field) {
    const { flat, value, path } = field;
    const read = (event) => this.#set(path, event.target.value, false);
    const isLong = flat.maxLength > LONG_TEXT || value.includes("\n");
    const control = isLong
      ? make("textarea", { rows: 2, input: read, value })
      : make("input", { value, input: read, autocomplete: "off", spellcheck: "false" });
    const now =
      flat.format === "date-time"
        ? [button("now", () => this.#set(path, new Date().toISOString()), { class: "small" })]
        : [];
    if (flat.format) control.placeholder = flat.format;
    return this.#control(field, control, now);
  }

  /** Whatever has no better control. */
  #json(field) {
    const read = (event) => {
      try {
        this.#set(field.path, parsed(event.target.value), false);
        event.target.setCustomValidity("");
      } catch {
        event.target.setCustomValidity("is not JSON");
      }
      event.target.classList.toggle("unread", !event.target.checkValidity());
    };
    const text = written(field.value, 2);
    const rows = Math.min(12, text.split("\n").length);
    const kept = { ...field, description: [field.description, "as JSON"].filter(Boolean).join(" · ") };
    return this.#control(
      kept,
      make("textarea", { rows, input: read, value: text, class: "is-json", spellcheck: "false" }),
    );
  }

  #nullable(field, choices) {
    const others = choices.filter((one) => one.type !== "null");
    const typed = { ...field.flat, type: typeOf(field.flat) || undefined };
    const inner = others.length === 1 ? others[0] : typed;
    if (field.value !== null) {
      const none = button("null", () => this.#set(field.path, null), { class: "small" });
      const some = { ...field, flat: inner, remove: make("span", {}, none, field.remove) };
      return others.length > 1 ? this.#union(some, others) : this.#plain(some);
    }
    const give = () => this.#set(field.path, initial(this.#schemas, others[0] ?? typed));
    const control = make("input", { value: "null", readonly: true, class: "fixed" });
    return this.#control(field, control, [button("give a value", give, { class: "small" })]);
  }

  #union(field, choices) {
    const { path, pointer, value } = field;
    const place = this.#variantOf(pointer, choices, value);
    const names = choices.map((one, index) => [String(index), this.#nameOf(one, index)]);
    const choose = (event) => {
      const chosen = Number(event.target.value);
      this.#variants.set(pointer, chosen);
      this.#set(path, initial(this.#schemas, choices[chosen]));
    };
    const which = choice(names, String(place), {
      change: choose,
      "aria-label": `kind of ${field.label || "value"}`,
      class: "small",
    });
    return this.#plain({ ...field, flat: choices[place], which });
  }

  /** The alternative that a value is of: the chosen one, unless another one fits better. */
  #variantOf(pointer, choices, value) {
    const faults = choices.map((one) => this.#judge.faults(one, value).length);
    const chosen = this.#variants.get(pointer);
    const fitting = faults.indexOf(Math.min(...faults));
    return chosen !== undefined && (faults[chosen] <= faults[fitting] || faults[fitting] > 0) ? chosen : fitting;
  }

  #nameOf(schema, index) {
    const constants = Object.values(schema.properties ?? {}).filter((one) => typeof one?.const === "string");
    const needed = schema.required?.length ? `with ${schema.required.join(", ")}` : undefined;
    const fixed = schema.const === undefined ? undefined : written(schema.const);
    return schema.title ?? constants[0]?.const ?? fixed ?? needed ?? (typeOf(schema) || `alternative ${index + 1}`);
  }

  #object(field) {
    const { flat, value, path } = field;
    const properties = flat.properties ?? {};
    const needed = new Set(flat.required ?? []);
    const names = Object.keys(properties);
    const extra = Object.keys(value).filter((name) => !Object.hasOwn(properties, name));
    const shown = [...names, ...extra].filter((name) => Object.hasOwn(value, name));
    const rest = flat.additionalProperties ?? true;
    const fields = shown.map((name) =>
      this.#field({
        ...this.#inner(field, name, properties, rest),
        isRequired: needed.has(name),
        remove: needed.has(name) ? undefined : this.#removing(path, value, name),
      }),
    );
    const absent = names.filter((name) => !Object.hasOwn(value, name));
    const adding = absent.map((name) => this.#adding(path, name, properties[name]));
    const isMap = !names.length && rest !== false;
    const foot = adding.length ? [make("div", { class: "adding" }, adding)] : [];
    return this.#group(field, [...fields, ...foot, ...(isMap ? [this.#naming(field, rest)] : [])]);
  }

  #inner(field, name, properties, rest) {
    return {
      schema: Object.hasOwn(properties, name) ? properties[name] : rest,
      value: at(field.value, [name]),
      path: [...field.path, name],
      pointer: below(field.pointer, name),
      label: name,
    };
  }

  #adding(path, name, schema) {
    const attributes = { class: "small", title: schema?.description };
    return button(`+ ${name}`, () => this.#grow([...path, name], initial(this.#schemas, schema)), attributes);
  }

  /** A field for the name of one more entry of a map. */
  #naming(field, rest) {
    const name = make("input", { placeholder: "name", "aria-label": "name of the new entry" });
    const add = () => name.value !== "" && this.#grow([...field.path, name.value], initial(this.#schemas, rest));
    name.addEventListener("keydown", (event) => {
      if (event.key === "Enter") add(event.preventDefault());
    });
    return make("div", { class: "adding" }, name, button("+ entry", add, { class: "small" }));
  }

  #removing(path, value, name) {
    const remove = () => this.#set(path, Object.fromEntries(Object.entries(value).filter(([one]) => one !== name)));
    return button("remove", remove, { class: "small", "aria-label": `remove ${name}` });
  }

  #array(field) {
    const { flat, value, path } = field;
    const listed = flat.prefixItems ?? (Array.isArray(flat.items) ? flat.items : []);
    const rest = (Array.isArray(flat.items) ? flat.additionalItems : flat.items) ?? true;
    const schemaOf = (place) => listed[place] ?? rest;
    const remove = (place) => () =>
      this.#set(
        path,
        value.filter((_, index) => index !== place),
      );
    const items = value.map((item, place) =>
      this.#field({
        schema: schemaOf(place),
        value: item,
        path: [...path, place],
        pointer: below(field.pointer, place),
        label: `${field.label || "item"} ${place + 1}`,
        remove: button("remove", remove(place), { class: "small", "aria-label": `remove item ${place + 1}` }),
      }),
    );
    const next = schemaOf(value.length);
    const add = () => {
      this.#set(path, [...value, initial(this.#schemas, next)]);
      this.#focus(below(field.pointer, value.length));
    };
    const foot = next === false ? [] : [make("div", { class: "adding" }, button("+ item", add, { class: "small" }))];
    return this.#group(field, [...items, ...foot]);
  }

  #grow(path, value) {
    this.#set(path, value);
    this.#focus(path.reduce(below, ""));
  }

  #focus(pointer) {
    const inside = [...this.#places].find(([one, { control }]) => control && `${one}/`.startsWith(`${pointer}/`));
    inside?.[1].control.focus();
  }
}

/** The number that a text is; the text where it is none, so that the fault is seen. */
function numberOf(text) {
  try {
    const value = parsed(text);
    return kindOf(value) === "number" ? value : text;
  } catch {
    return text;
  }
}
