/** When a client connects again: the rule of the generated clients. Times are in seconds. */

const BASE = 0.5;
const CAP = 30;
const STABLE_AFTER = 10;
const MOST_ATTEMPTS = 5;
const WINDOW = 30;
const MOST_ASKED = 300;

/** Exponential delays with full jitter, and never more than five attempts in thirty seconds. */
export class Backoff {
  #failures = 0;
  #attempts = [];
  #random;

  constructor(random = Math.random) {
    this.#random = random;
  }

  /** Notes that an attempt starts now. */
  attempted(now) {
    this.#attempts = [...this.#attempts, now].slice(-MOST_ATTEMPTS);
  }

  /** How long to wait after a connection that was open for `uptime`; `asked` is what the server asked for. */
  delay(now, uptime = 0, asked = 0) {
    if (uptime >= STABLE_AFTER) this.#failures = 0;
    const ceiling = Math.min(CAP, BASE * 2 ** Math.min(this.#failures, 64));
    this.#failures += 1;
    const wanted = Number.isFinite(asked) && asked > 0 ? Math.min(asked, MOST_ASKED) : 0;
    const allowed = this.#attempts.length < MOST_ATTEMPTS ? 0 : Math.max(0, this.#attempts[0] + WINDOW - now);
    return Math.max(wanted, allowed) + this.#random() * Math.max(ceiling, wanted);
  }
}
