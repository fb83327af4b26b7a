/** The log on the page: its filter, and a line for each entry that opens to show the payload. */

import { button, make } from "./dom.js";
import { MOST_ENTRIES, ndjson, passes } from "./log.js";
import { written } from "./numbers.js";

const ARROWS = { sent: "↑", received: "↓", note: "·" };
const WORDS = { sent: "sent", received: "received", note: "connection" };
const MOST_SHOWN = 20000;

/** The controls below "Log". */
export class LogView {
  #session;
  #api;
  #parts;
  #list = make("ol");
  #lines = new Map();
  #waiting = new Map();
  #isPaused = false;
  #scheduled = false;

  constructor(api, session, parts) {
    this.#api = api;
    this.#session = session;
    this.#parts = parts;
    parts.log.append(this.#list);
    for (const part of [parts.message, parts.direction, parts.text, parts.faults, parts.beats]) {
      part.addEventListener("input", () => this.#refill());
    }
    parts.pause.addEventListener("click", () => this.#pause());
    parts.clear.addEventListener("click", () => this.#clear());
    parts.save.addEventListener("click", () => this.#save());
    this.#count();
  }

  /** Offers the messages of a channel to the filter. */
  offer(channel) {
    const choices = [...(channel.sends?.choices ?? []), ...(channel.receives?.choices ?? [])];
    const names = [...new Set(choices.map((one) => one.message))];
    const options = [["", "all"], ...names.map((name) => [name, name])];
    this.#parts.message.replaceChildren(...options.map(([value, text]) => make("option", { value }, text)));
    this.#parts.beatsLabel.hidden = channel.heartbeat === undefined;
  }

  /** Shows an entry, or shows it anew, with the next frame that the browser draws. */
  add(entry) {
    this.#waiting.set(entry.id, entry);
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      if (!this.#isPaused) this.#flush();
      this.#count();
    });
  }

  get #filter() {
    const { message, direction, text, faults, beats } = this.#parts;
    return {
      message: message.value,
      direction: direction.value,
      text: text.value,
      faults: faults.checked,
      beats: beats.checked,
    };
  }

  #flush() {
    const { log } = this.#parts;
    const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    const filter = this.#filter;
    for (const entry of this.#waiting.values()) {
      if (!passes(filter, entry)) continue;
      const shown = this.#lines.get(entry.id);
      const line = this.#line(entry, shown?.firstChild.open);
      if (shown) shown.replaceWith(line);
      else this.#list.append(line);
      this.#lines.set(entry.id, line);
    }
    this.#waiting.clear();
    this.#trim();
    if (isAtEnd) log.scrollTop = log.scrollHeight;
  }

  /** Takes away the lines of entries that the log has forgotten. */
  #trim() {
    const first = this.#session.log.entries[0]?.id ?? Infinity;
    for (const [id, line] of this.#lines) {
      if (id >= first) break;
      line.remove();
      this.#lines.delete(id);
    }
  }

  #refill() {
    this.#lines.clear();
    this.#list.replaceChildren();
    this.#waiting = new Map(this.#session.log.entries.map((entry) => [entry.id, entry]));
    this.#flush();
    this.#count();
  }

  #pause() {
    this.#isPaused = !this.#isPaused;
    this.#parts.pause.setAttribute("aria-pressed", String(this.#isPaused));
    this.#parts.pause.textContent = this.#isPaused ? "Resume" : "Pause";
    if (!this.#isPaused) this.#flush();
    this.#count();
  }

  #clear() {
    this.#session.log.clear();
    this.#refill();
  }

  #count() {
    const { entries } = this.#session.log;
    const kept = entries.length === MOST_ENTRIES ? `the latest ${MOST_ENTRIES} entries` : `${entries.length} entries`;
    const shown = this.#lines.size === entries.length ? "" : `, ${this.#lines.size} shown`;
    const waiting = this.#isPaused && this.#waiting.size ? `, ${this.#waiting.size} since the pause` : "";
    this.#parts.count.textContent = kept + shown + waiting;
  }

  #save() {
    const filter = this.#filter;
    const text = ndjson(this.#session.log.entries.filter((entry) => passes(filter, entry)));
    const url = URL.createObjectURL(new Blob([text], { type: "application/x-ndjson" }));
    make("a", { href: url, download: `${this.#session.channel.name.replace(/\W+/g, "-")}.ndjson` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
  }

  #line(entry, isOpen = false) {
    const { direction, faults, isBad } = entry;
    const classes = ["entry", `is-${direction}`, ...(faults.length || isBad ? ["is-bad"] : [])].join(" ");
    const content = direction === "note" ? this.#note(entry) : this.#frame(entry, isOpen);
    return make("li", { class: classes, id: `console-entry-${entry.id}` }, content);
  }

  #note(entry) {
    return make("p", {}, this.#head(entry), make("span", { class: "words" }, entry.text));
  }

  #frame(entry, isOpen) {
    const { message, faults, size, answers, answered } = entry;
    const name = make("strong", {}, message || "no message of this endpoint");
    const bad = faults.length
      ? make("span", { class: "badge" }, faults.length === 1 ? "1 fault" : `${faults.length} faults`)
      : "";
    const link = answers ?? answered;
    const pair = link === undefined ? "" : make("span", { class: "badge is-pair" }, answers ? "reply" : "answered");
    const preview = make("span", { class: "words quiet" }, this.#preview(entry).slice(0, 200));
    const bytes = make("span", { class: "size quiet" }, `${size} B`);
    const details = make(
      "details",
      { open: isOpen },
      make("summary", {}, this.#head(entry), name, bad, pair, preview, bytes),
    );
    const open = () => details.open && details.childElementCount === 1 && details.append(...this.#body(entry));
    details.addEventListener("toggle", open);
    open();
    return details;
  }

  /** The payload on one line, without what every message has: its tag and its time. */
  #preview({ payload, text, direction }) {
    if (payload === null || typeof payload !== "object" || Array.isArray(payload)) return text;
    const { sends, receives } = this.#session.channel;
    const tag = (direction === "sent" ? sends : receives)?.path?.[0];
    return written(
      Object.fromEntries(Object.entries(payload).filter(([name]) => name !== tag && name !== "timestamp")),
    );
  }

  #head({ time, direction }) {
    const moment = new Date(time);
    const clock = `${moment.toLocaleTimeString("en-GB")}.${String(moment.getMilliseconds()).padStart(3, "0")}`;
    return [
      make("time", { datetime: moment.toISOString() }, clock),
      make("span", { class: "arrow", "aria-hidden": "true" }, ARROWS[direction]),
      make("span", { class: "unseen" }, WORDS[direction]),
    ];
  }

  /** What a line shows when it is opened. */
  *#body({ message, payload, text, faults, isBinary, answers, answered }) {
    if (faults.length) {
      const lines = faults.map((one) => make("li", {}, make("code", {}, one.pointer || "payload"), ` ${one.message}`));
      yield make("ul", { class: "faults" }, lines);
    }
    const whole = payload === undefined ? text : written(payload, 2);
    const cut =
      whole.length > MOST_SHOWN
        ? `${whole.slice(0, MOST_SHOWN)}\n… ${whole.length - MOST_SHOWN} more characters`
        : whole;
    yield make("pre", { tabindex: "0" }, make("code", {}, isBinary ? `base64: ${cut}` : cut));
    const links = make("p", { class: "links" });
    const anchor = this.#api.messages[message]?.anchor;
    if (anchor) links.append(make("a", { href: `#${anchor}` }, `about ${message}`));
    if (answers) links.append(button("go to the request", () => this.#go(answers), { class: "small" }));
    if (answered) links.append(button("go to the reply", () => this.#go(answered), { class: "small" }));
    yield links;
  }

  #go(id) {
    const summary = this.#lines.get(id)?.querySelector("summary");
    summary?.scrollIntoView({ block: "nearest" });
    summary?.focus();
  }
}
