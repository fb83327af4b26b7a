/**
 * Judges values by JSON Schema: draft 7, or 2020-12 as the document's `$schema` says. References lead into the document
 * itself. Nothing is compiled, so that it works under policies that forbid `eval`.
 */

import { FORMATS } from "./formats.js";
import { equal, kindOf, written } from "./numbers.js";
import { article, count, list, show } from "./wording.js";

const MOST_FAULTS = 20;
const MOST_STEPS = 500000;
const DEEPEST = 500;
/** Characters up to which a costly pattern is tried: the time doubles with each one. */
const SAFE_LENGTH = 20;
const NOTHING = { names: [], items: 0, placed: [] };

const COMMON = words(
  "$ref type enum const multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern",
  "format maxItems minItems uniqueItems maxProperties minProperties required propertyNames",
);
const DRAFT_7 = words(...COMMON, "tuple contains dependencies objects if allOf anyOf oneOf not");
const DRAFT_2020 = words(
  ...COMMON,
  "prefixItems contains dependentRequired dependentSchemas objects if allOf anyOf oneOf not",
  "unevaluatedItems unevaluatedProperties",
);

/** Faults of values by the schemas of a document. `costly` lists patterns that are not tried on long texts. */
export function validator(document, costly = []) {
  const draft7 = /draft-0[1-7]/.test(document.$schema ?? "");
  const rules = draft7 ? DRAFT_7 : DRAFT_2020;
  const common = { document, draft7, rules, risky: new Set(costly), patterns: new Map() };
  return {
    /** What is wrong with a value by a schema, or by the one at a pointer: `{pointer, keyword, message}`, some 20 at most. */
    faults(wanted, value) {
      const run = { ...common, steps: 0 };
      const faults = [];
      const schema = typeof wanted === "string" ? wanted === "" || schemaAt(document, wanted) : wanted;
      judge(run, schema, value, "", 0, faults);
      if (run.steps > MOST_STEPS) faults.push(fault("", "", "is too large to be judged wholly"));
      return faults.slice(0, MOST_FAULTS);
    },
  };
}

/** The schema at a pointer such as `#/definitions/Join`; everything is allowed where there is none. */
export function schemaAt(document, pointer) {
  let found = document;
  for (const token of pointer.split("/").slice(1)) {
    const name = decodeURIComponent(token).replaceAll("~1", "/").replaceAll("~0", "~");
    found = found !== null && typeof found === "object" && Object.hasOwn(found, name) ? found[name] : undefined;
  }
  return found ?? true;
}

/** A pointer with one more step. */
export function below(at, name) {
  return `${at}/${String(name).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

/** Judges a value, notes faults, and gives what was looked at: names of properties, and how many items. */
function judge(run, schema, value, at, depth, faults) {
  if (schema === true || typeof schema !== "object" || faults.length >= MOST_FAULTS) {
    if (schema === false) faults.push(fault(at, "false", "is not allowed here"));
    return NOTHING;
  }
  if (depth > DEEPEST || ++run.steps > MOST_STEPS) {
    if (depth > DEEPEST) faults.push(fault(at, "", "is nested too deeply to be judged"));
    return NOTHING;
  }
  const kind = kindOf(value);
  const c = { run, schema, value, at, depth, faults, kind, seen: { names: [], items: 0, placed: [] } };
  if (run.draft7 && Object.hasOwn(schema, "$ref")) {
    RULES.$ref(c, schema.$ref);
    return c.seen;
  }
  for (const keyword of run.rules) {
    if (Object.hasOwn(schema, keyword) || keyword === "objects" || keyword === "tuple") {
      RULES[keyword](c, schema[keyword], keyword);
    }
  }
  return c.seen;
}

const RULES = {
  $ref: (c, to) => join(c, same(c, schemaAt(c.run.document, to), c.faults)),
  type(c, wanted) {
    const types = [wanted].flat();
    const isInteger = c.kind === "number" && (typeof c.value === "bigint" || Number.isInteger(c.value));
    if (types.includes(c.kind) || (isInteger && types.includes("integer"))) return;
    say(c, "type", `is ${article(c.kind)}, and has to be ${types.map(article).join(" or ")}`);
  },
  enum(c, values) {
    if (values.some((one) => equal(one, c.value))) return;
    say(c, "enum", `is ${show(c.value)}, and not one of ${list(values)}`);
  },
  const(c, only) {
    if (!equal(only, c.value)) say(c, "const", `is ${show(c.value)}, and has to be ${show(only)}`);
  },
  multipleOf(c, step) {
    if (c.kind === "number" && !isMultiple(c.value, step)) say(c, "multipleOf", `is no multiple of ${step}`);
  },
  maximum: bound(
    "number",
    (value, most) => value > most,
    (most) => `is more than ${most}`,
  ),
  minimum: bound(
    "number",
    (value, least) => value < least,
    (least) => `is less than ${least}`,
  ),
  exclusiveMaximum: bound(
    "number",
    (value, most) => value >= most,
    (most) => `is not less than ${most}`,
  ),
  exclusiveMinimum: bound(
    "number",
    (value, least) => value <= least,
    (least) => `is not more than ${least}`,
  ),
  maxLength: bound(
    "string",
    (text, most) => length(text) > most,
    (most) => `has more than ${count(most, "character")}`,
  ),
  minLength: bound("string", (text, least) => length(text) < least, lengthy),
  maxItems: bound(
    "array",
    (items, most) => items.length > most,
    (most) => `has more than ${count(most, "item")}`,
  ),
  minItems: bound(
    "array",
    (items, least) => items.length < least,
    (least) => `has fewer than ${count(least, "item")}`,
  ),
  maxProperties: bound(
    "object",
    (o, most) => size(o) > most,
    (most) => `has more than ${count(most, "property")}`,
  ),
  minProperties: bound(
    "object",
    (o, least) => size(o) < least,
    (least) => `has fewer than ${count(least, "property")}`,
  ),
  pattern(c, pattern) {
    if (c.kind === "string" && !matches(c.run, pattern, c.value)) say(c, "pattern", `does not match ${pattern}`);
  },
  format(c, name) {
    const isOf = c.kind === "string" ? FORMATS.get(name) : undefined;
    if (isOf !== undefined && !isOf(c.value)) say(c, "format", `is no ${name}`);
  },
  uniqueItems(c, wanted) {
    if (wanted !== true || c.kind !== "array") return;
    const texts = new Set(c.value.map(canonical));
    if (texts.size < c.value.length) say(c, "uniqueItems", "has the same item twice");
  },
  required(c, names) {
    if (c.kind !== "object") return;
    for (const name of names) if (!Object.hasOwn(c.value, name)) lack(c, "required", name, "is missing");
  },
  propertyNames(c, schema) {
    if (c.kind !== "object") return;
    for (const name of Object.keys(c.value)) {
      const faults = same({ ...c, value: name }, schema, []).faults;
      if (faults.length) say(c, "propertyNames", `has the name ${show(name)}, which ${faults[0].message}`);
    }
  },
  tuple(c) {
    const { items } = c.schema;
    if (!Array.isArray(items)) return items === undefined ? undefined : inside(c, 0, items);
    RULES.placed(c, items);
    return c.schema.additionalItems === undefined ? undefined : inside(c, items.length, c.schema.additionalItems);
  },
  placed(c, schemas) {
    if (c.kind !== "array") return;
    schemas.slice(0, c.value.length).forEach((schema, at) => {
      judge(c.run, schema, c.value[at], below(c.at, at), c.depth + 1, c.faults);
    });
    c.seen.items = Math.max(c.seen.items, schemas.length);
  },
  prefixItems: (c, schemas) => RULES.placed(c, schemas),
  contains(c, schema) {
    if (c.kind !== "array") return;
    const found = c.value.flatMap((item, at) => (fits(c, schema, item) ? [at] : []));
    const least = c.run.draft7 ? 1 : (c.schema.minContains ?? 1);
    const most = c.run.draft7 ? Infinity : (c.schema.maxContains ?? Infinity);
    if (!c.run.draft7) c.seen.placed.push(...found);
    if (found.length < least)
      say(c, "contains", `has fewer than ${count(least, "item")} of those that it has to contain`);
    if (found.length > most) say(c, "maxContains", `has more than ${count(most, "item")} of those that it may contain`);
  },
  dependentRequired(c, needs, keyword) {
    if (c.kind !== "object") return;
    for (const [name, needed] of Object.entries(needs)) {
      if (!Object.hasOwn(c.value, name)) continue;
      const missing = needed.filter((other) => !Object.hasOwn(c.value, other));
      for (const other of missing) lack(c, keyword, other, `has to stand beside ${show(name)}`);
    }
  },
  dependentSchemas(c, schemas) {
    if (c.kind !== "object") return;
    const present = Object.entries(schemas).filter(([name]) => Object.hasOwn(c.value, name));
    for (const [, schema] of present) join(c, same(c, schema, c.faults));
  },
  dependencies(c, needs, keyword) {
    for (const [name, needed] of Object.entries(needs)) {
      RULES[Array.isArray(needed) ? "dependentRequired" : "dependentSchemas"](c, { [name]: needed }, keyword);
    }
  },
  /** The properties; and in 2020-12, where `items` stands for what follows `prefixItems`, the items. */
  objects(c) {
    if (!c.run.draft7 && c.schema.items !== undefined) inside(c, c.schema.prefixItems?.length ?? 0, c.schema.items);
    if (c.kind !== "object") return;
    const { properties = {}, patternProperties = {}, additionalProperties: rest } = c.schema;
    const patterns = Object.entries(patternProperties);
    if (rest === undefined && !patterns.length && !Object.hasOwn(c.schema, "properties")) return;
    for (const [name, value] of Object.entries(c.value)) {
      const schemas = patterns.filter(([pattern]) => matches(c.run, pattern, name)).map(([, schema]) => schema);
      if (Object.hasOwn(properties, name)) schemas.push(properties[name]);
      if (!schemas.length && rest !== undefined) schemas.push(rest);
      for (const schema of schemas) member(c, name, value, schema, "additionalProperties");
      if (schemas.length) c.seen.names.push(name);
    }
  },
  if(c, condition) {
    const tried = same(c, condition, []);
    if (!tried.faults.length) join(c, tried);
    const next = tried.faults.length ? c.schema.else : c.schema.then;
    if (next !== undefined) join(c, same(c, next, c.faults));
  },
  allOf: (c, schemas) => schemas.forEach((schema) => join(c, same(c, schema, c.faults))),
  anyOf(c, schemas) {
    const tried = schemas.map((schema) => same(c, schema, []));
    const fitting = tried.filter((one) => !one.faults.length);
    fitting.forEach((one) => join(c, one));
    if (!fitting.length) none(c, "anyOf", tried);
  },
  oneOf(c, schemas) {
    const tried = schemas.map((schema) => same(c, schema, []));
    const fitting = tried.filter((one) => !one.faults.length);
    if (fitting.length === 1) join(c, fitting[0]);
    if (fitting.length > 1) say(c, "oneOf", `fits ${fitting.length} of the alternatives, and may fit only one`);
    if (!fitting.length) none(c, "oneOf", tried);
  },
  not(c, schema) {
    if (!same(c, schema, []).faults.length) say(c, "not", "is what the schema rules out");
  },
  unevaluatedItems(c, schema) {
    if (c.kind !== "array") return;
    const { items, placed } = c.seen;
    c.value.forEach((item, at) => {
      if (at >= items && !placed.includes(at)) member(c, at, item, schema, "unevaluatedItems");
    });
    c.seen.items = c.value.length;
  },
  unevaluatedProperties(c, schema) {
    if (c.kind !== "object") return;
    const seen = new Set(c.seen.names);
    for (const [name, value] of Object.entries(c.value)) {
      if (!seen.has(name)) member(c, name, value, schema, "unevaluatedProperties");
    }
    c.seen.names = Object.keys(c.value);
  },
};

/** Judges the same value by another schema. */
function same(c, schema, faults) {
  return { seen: judge(c.run, schema, c.value, c.at, c.depth + 1, faults), faults };
}

function fits(c, schema, value) {
  return !same({ ...c, value }, schema, []).faults.length;
}

/** Takes over what another schema looked at. */
function join(c, { seen }) {
  c.seen.names.push(...seen.names);
  c.seen.placed.push(...seen.placed);
  c.seen.items = Math.max(c.seen.items, seen.items);
}

/** Judges a property or an item; where none is allowed, says so by the keyword that forbids it. */
function member(c, name, value, schema, keyword) {
  if (schema === false) c.faults.push(fault(below(c.at, name), keyword, "is not known here"));
  else judge(c.run, schema, value, below(c.at, name), c.depth + 1, c.faults);
}

function inside(c, from, schema) {
  if (c.kind !== "array") return;
  for (let at = from; at < c.value.length; at += 1) member(c, at, c.value[at], schema, "items");
  c.seen.items = Infinity;
}

/** No alternative fits: what is wrong with the one that is meant, where that can be told. */
function none(c, keyword, tried) {
  const here = steps(c.at);
  const differs = (one) => ["type", "const", "enum", "false"].includes(one.keyword) && steps(one.pointer) < here + 2;
  const meant = tried.filter(({ faults }) => !faults.some(differs));
  if (meant.length === 1) c.faults.push(...meant[0].faults);
  else say(c, keyword, `fits none of the ${tried.length} alternatives`);
}

function say(c, keyword, message) {
  c.faults.push(fault(c.at, keyword, message));
}

function lack(c, keyword, name, message) {
  c.faults.push({ ...fault(c.at, keyword, `${show(name)} ${message}`), missing: name });
}

function fault(pointer, keyword, message) {
  return { pointer, keyword, message };
}

function bound(kind, breaks, message) {
  return (c, limit, keyword) => {
    if (c.kind === kind && breaks(c.value, limit)) say(c, keyword, message(limit));
  };
}

function isMultiple(value, step) {
  if (typeof value === "bigint")
    return Number.isInteger(step) ? value % BigInt(step) === 0n : Number(value) % step === 0;
  const quotient = value / step;
  return !Number.isInteger(step) && Number.isFinite(quotient) ? Number.isInteger(quotient) : value % step === 0;
}

function matches(run, pattern, text) {
  if (run.risky.has(pattern) && text.length > SAFE_LENGTH) return true;
  if (!run.patterns.has(pattern)) run.patterns.set(pattern, expression(pattern));
  return run.patterns.get(pattern)?.test(text) ?? true;
}

/** A regular expression; none where this browser cannot read it, so that it judges nothing. */
function expression(pattern) {
  for (const flags of ["u", ""]) {
    try {
      return new RegExp(pattern, flags);
    } catch {
      continue;
    }
  }
  return undefined;
}

/** A text that two values share exactly when they are equal. */
function canonical(value) {
  const kind = kindOf(value);
  if (kind === "array") return `[${value.map(canonical).join()}]`;
  if (kind !== "object") return kind === "number" ? String(value) : written(value);
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join()}}`;
}

function length(text) {
  let characters = 0;
  for (const _ of text) characters += 1;
  return characters;
}

function lengthy(least) {
  return least === 1 ? "is empty" : `has fewer than ${count(least, "character")}`;
}

function size(value) {
  return Object.keys(value).length;
}

function steps(pointer) {
  return pointer.split("/").length;
}

function words(...lines) {
  return lines.join(" ").split(" ");
}
