/** Payloads: made from schemas, and told apart when they come. */

import { written } from "./numbers.js";
import { schemaAt } from "./validator.js";

const MOST_LEVELS = 12;

/**
 * The schema with what its references and `allOf` say of it, one level deep: keywords that stand beside a reference in
 * the page's data describe, and so they win.
 */
export function flattened(document, schema) {
  let found = schema === true || schema === undefined ? {} : schema === false ? { not: {} } : schema;
  for (let at = 0; at < MOST_LEVELS && (found.$ref !== undefined || found.allOf !== undefined); at += 1) {
    const { $ref, allOf = [], ...own } = found;
    const parts = [...($ref === undefined ? [] : [schemaAt(document, $ref)]), ...allOf];
    found = [...parts, own].reduce(merged, {});
  }
  return found;
}

function merged(one, other) {
  if (typeof other !== "object") return one;
  const both = { ...one, ...other };
  for (const word of ["properties", "patternProperties"]) {
    if (one[word] && other[word]) both[word] = mergedSchemas(one[word], other[word]);
  }
  for (const word of ["required", "allOf"]) if (one[word] && other[word]) both[word] = [...one[word], ...other[word]];
  return both;
}

function mergedSchemas(one, other) {
  const changed = Object.entries(other).map(([name, schema]) => [
    name,
    Object.hasOwn(one, name) ? { allOf: [one[name], schema] } : schema,
  ]);
  return { ...one, ...Object.fromEntries(changed) };
}

/** The first type that a schema names beside null; guessed from its keywords where it names none. */
export function typeOf(schema) {
  const named = [schema.type ?? []].flat();
  if (named.length) return named.find((type) => type !== "null") ?? "null";
  if (schema.properties || schema.required) return "object";
  if (schema.items || schema.prefixItems) return "array";
  return "";
}

/** The alternatives that a schema offers, each with what is said beside them; none where it is no union. */
export function alternatives(document, schema) {
  const word = schema.oneOf ? "oneOf" : "anyOf";
  const found = schema[word];
  const beside = { ...schema };
  for (const one of [word, "title", "description", "default", "$ref"]) delete beside[one];
  if (!Array.isArray(found)) return [];
  return found.map((one) => {
    const flat = merged(beside, flattened(document, one));
    return { ...flat, title: flat.title ?? one?.$ref?.split("/").at(-1) };
  });
}

/** A payload to begin with: what is required, as the schema would have it. `now` is the time that it names. */
export function initial(document, schema, now = new Date(), depth = 0) {
  const flat = flattened(document, schema);
  for (const word of ["const", "default"]) if (Object.hasOwn(flat, word)) return structuredClone(flat[word]);
  if (flat.enum?.length) return structuredClone(flat.enum[0]);
  if (flat.examples?.length) return structuredClone(flat.examples[0]);
  const [first] = alternatives(document, flat);
  if (first !== undefined && depth < MOST_LEVELS) return initial(document, first, now, depth + 1);
  switch (typeOf(flat)) {
    case "object":
      return initialObject(document, flat, now, depth);
    case "array":
      return initialArray(document, flat, now, depth);
    case "string":
      return initialText(flat.format, now);
    case "integer":
    case "number":
      return initialNumber(flat);
    case "boolean":
      return false;
    default:
      return null;
  }
}

function initialObject(document, schema, now, depth) {
  const entries = (schema.required ?? []).map((name) => {
    const inner = Object.hasOwn(schema.properties ?? {}, name) ? schema.properties[name] : true;
    return [name, depth < MOST_LEVELS ? initial(document, inner, now, depth + 1) : null];
  });
  return Object.fromEntries(entries);
}

function initialArray(document, schema, now, depth) {
  const listed = schema.prefixItems ?? (Array.isArray(schema.items) ? schema.items : []);
  const rest = Array.isArray(schema.items) ? (schema.additionalItems ?? true) : (schema.items ?? true);
  const least = Math.min(Math.max(schema.minItems ?? 0, listed.length), depth < MOST_LEVELS ? 50 : 0);
  return Array.from({ length: least }, (_, at) => initial(document, listed[at] ?? rest, now, depth + 1));
}

function initialText(format, now) {
  const stamp = now.toISOString();
  if (format === "date-time") return stamp;
  if (format === "date") return stamp.slice(0, 10);
  if (format === "time") return stamp.slice(11, 19);
  if (format === "uuid") return fresh();
  return format === "decimal" ? "0" : "";
}

function initialNumber(schema) {
  const least = schema.minimum ?? (schema.exclusiveMinimum !== undefined ? schema.exclusiveMinimum + 1 : 0);
  const value = least > 0 ? least : 0;
  const most = schema.maximum ?? Infinity;
  return most < value ? most : value;
}

/** An identifier that is nobody else's. */
export function fresh() {
  if (typeof crypto?.randomUUID === "function") return crypto.randomUUID(); // only where pages are secure
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** The value at a path of names and positions; undefined where there is none. */
export function at(value, path) {
  let found = value;
  for (const step of path) {
    found = found !== null && typeof found === "object" && Object.hasOwn(found, step) ? found[step] : undefined;
  }
  return found;
}

/** The value with another one at a path, as far as the path exists. */
export function withValue(value, path, inner) {
  if (!path.length) return inner;
  if (value === null || typeof value !== "object") return value;
  const [step, ...rest] = path;
  const changed = rest.length ? withValue(at(value, [step]) ?? {}, rest, inner) : inner;
  if (!Array.isArray(value)) return { ...value, [step]: changed }; // which makes a member of `__proto__`, too
  return value.map((item, place) => (place === Number(step) ? changed : item));
}

/**
 * The names of the messages that a payload may be, the likeliest first: by its tags, then by what messages require. This
 * is the order in which generated packages look.
 */
export function candidates(dispatch, payload) {
  if (dispatch === undefined) return [];
  const isArray = Array.isArray(payload);
  const path = isArray ? (dispatch.position === undefined ? [] : [dispatch.position]) : (dispatch.path ?? []);
  const first = path.length ? tagAt(payload, path) : undefined;
  const second = !isArray && dispatch.second ? tagAt(payload, dispatch.second) : undefined;
  const tagged = dispatch.choices.filter((one) => Boolean(one.isArray) === isArray && has(one.values, first));
  const byPair = tagged.filter((one) => has(one.seconds, second));
  const byTag = tagged.filter((one) => !one.seconds?.length);
  const byShape = dispatch.choices
    .filter((one) => !one.values?.length || (!one.isRequired && first === undefined))
    .filter((one) => !isObject(payload) || (one.demands ?? []).every((name) => Object.hasOwn(payload, name)))
    .sort((one, other) => (other.demands?.length ?? 0) - (one.demands?.length ?? 0));
  return [...new Set([...byPair, ...byTag, ...byShape].map((one) => one.message))];
}

function tagAt(payload, path) {
  const found = at(payload, path);
  return typeof found === "string" || typeof found === "number" ? found : undefined;
}

function has(values, value) {
  return value !== undefined && (values ?? []).includes(value);
}

function isObject(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/**
 * What a payload is: the first message that it may be and that its schema allows; else the likeliest one with the faults;
 * else no message at all.
 */
export function recognized(api, judge, dispatch, payload) {
  const names = candidates(dispatch, payload).filter((name) => !api.messages[name].content);
  let likeliest;
  for (const name of names) {
    const faults = judge.faults(api.messages[name].schema ?? "", payload);
    if (!faults.length) return { message: name, faults };
    likeliest ??= { message: name, faults };
  }
  if (likeliest !== undefined) return likeliest;
  const known = (dispatch?.choices ?? []).flatMap((one) => one.values ?? []);
  const found = dispatch?.path?.length ? at(payload, dispatch.path) : undefined;
  const place = (dispatch?.path ?? []).join(".");
  const why = known.length
    ? `${place || "the tag"} is ${found === undefined ? "missing" : written(found)}, and has to be one of ${known.join(", ")}`
    : "it has the required properties of no message";
  return { message: "", faults: [{ pointer: "", keyword: "", message: `is no message of this endpoint: ${why}` }] };
}

/** The answer to a ping: what it has in common with the ping, and a time of its own. */
export function pong(document, schema, ping, now = new Date()) {
  let answer = initial(document, schema, now);
  const { properties = {} } = flattened(document, schema);
  for (const name of Object.keys(properties)) {
    const isOpen = !Object.hasOwn(flattened(document, properties[name]), "const") && name !== "timestamp";
    if (isOpen && isObject(ping) && Object.hasOwn(ping, name)) answer = withValue(answer, [name], ping[name]);
  }
  return answer;
}

/** The requests that wait for their replies. */
export class Requests {
  #waiting = [];

  /** Waits for one of some messages; `id` is what it repeats, where it repeats anything. */
  add(entry, replies, id) {
    this.#waiting.push({ entry, replies, id: id === undefined ? undefined : written(id) });
  }

  /** The request that a message answers, which then waits no longer; undefined where there is none. */
  answered(message, id, isError = false) {
    const said = id === undefined ? undefined : written(id);
    const isIts = (one) => (said === undefined ? !isError && one.replies.includes(message) : one.id === said);
    const found = this.#waiting.find((one) => isIts(one) && (isError || one.replies.includes(message)));
    if (found !== undefined) this.#waiting.splice(this.#waiting.indexOf(found), 1);
    return found?.entry;
  }

  /** Waits for nothing any more. */
  clear() {
    this.#waiting = [];
  }
}
