/** What was sent and received, as values. */

import { written } from "./numbers.js";

/** How many entries are kept; the oldest go first. */
export const MOST_ENTRIES = 2000;

/**
 * Entries: `{id, time, direction, message, payload, text, faults, size}`, and `answers` and `answered`, the ids of a
 * request and its reply. `direction` is `sent`, `received` or `note`; `time` is in milliseconds since 1970.
 */
export class Log {
  entries = [];
  #next = 1;

  /** Adds an entry and gives it back, with its id. */
  add(entry) {
    const whole = { faults: [], message: "", size: 0, ...entry, id: this.#next };
    this.#next += 1;
    this.entries.push(whole);
    if (this.entries.length > MOST_ENTRIES) this.entries.splice(0, this.entries.length - MOST_ENTRIES);
    return whole;
  }

  /** Forgets all entries. */
  clear() {
    this.entries = [];
  }
}

/** Whether a filter lets an entry through. What is empty or false in it lets all through. */
export function passes(filter, entry) {
  if (entry.isBeat && !filter.beats) return false;
  if (filter.direction && entry.direction !== filter.direction) return false;
  if (filter.message && entry.message !== filter.message) return false;
  if (filter.faults && !entry.faults.length) return false;
  return !filter.text || searched(entry).toLowerCase().includes(filter.text.toLowerCase());
}

/** All that can be searched of an entry. */
function searched(entry) {
  const faults = entry.faults.map((fault) => `${fault.pointer} ${fault.message}`);
  return [entry.message, entry.text ?? "", ...faults].join("\n");
}

/** The entries as NDJSON: one JSON object a line. */
export function ndjson(entries) {
  return entries.map((entry) => `${written(line(entry))}\n`).join("");
}

function line({ time, direction, message, payload, text, faults, size, answers, isBinary }) {
  const isText = payload === undefined;
  return {
    time: new Date(time).toISOString(),
    direction,
    ...(message ? { message } : {}),
    ...(isText ? { [isBinary ? "base64" : "text"]: text } : { payload }),
    ...(faults.length
      ? { faults: faults.map(({ pointer, keyword, message: why }) => ({ pointer, keyword, message: why })) }
      : {}),
    size,
    ...(answers === undefined ? {} : { answers }),
  };
}
