/** JSON text in and out, with integers that no float holds as BigInt, where the browser can tell what was written. */

/** Whether this browser hands over the source of numbers; without it, integers beyond 2^53 are rounded. */
export const EXACT = (() => {
  try {
    return JSON.parse("9007199254740993", (_, value, source) => source.source) === "9007199254740993";
  } catch {
    return false;
  }
})();

/** The value of a JSON text. Throws SyntaxError, also for numbers beyond all floats and for halves of characters. */
export function parsed(text) {
  if (!/\d{16}|\d[eE]|\\u[dD][89a-fA-F]/.test(text)) return JSON.parse(text);
  return JSON.parse(text, (key, value, context) => {
    if (typeof value === "string" || key) whole(typeof value === "string" ? value : "", key);
    return typeof value === "number" && !Number.isSafeInteger(value) ? held(value, context?.source) : value;
  });
}

function whole(...texts) {
  if (!texts.every((text) => text.isWellFormed?.() ?? true)) throw new SyntaxError("half of a character stands alone");
}

function held(value, source) {
  if (!Number.isFinite(value)) throw new SyntaxError("a number is larger than any that can be held");
  return source !== undefined && /^-?\d+$/.test(source) ? BigInt(source) : value;
}

/** JSON text of a value. `indent` is a number of spaces; none gives one line. */
export function written(value, indent = 0) {
  const exact = (key, one) => (typeof one === "bigint" ? raw(one) : one);
  return JSON.stringify(value, exact, indent) ?? "null";
}

function raw(integer) {
  return typeof JSON.rawJSON === "function" ? JSON.rawJSON(String(integer)) : Number(integer);
}

/** What a value is in the words of JSON Schema; integers are numbers. */
export function kindOf(value) {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value === "bigint" ? "number" : typeof value;
}

/** Whether two values are equal as JSON Schema means it: 1 and 1.0 are, 1 and true are not. */
export function equal(one, other) {
  const kind = kindOf(one);
  if (kind !== kindOf(other)) return false;
  if (kind === "number") return one == other;
  if (kind === "array") return one.length === other.length && one.every((item, at) => equal(item, other[at]));
  if (kind !== "object") return one === other;
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && equal(one[name], other[name]))
  );
}
