/** One connection that comes back: its states, its heartbeat, and when it tries again. */

import { Backoff } from "./backoff.js";
import { comesBack } from "./closing.js";

/** How long a socket may take to open or to close, in seconds. */
const PATIENCE = 10;

/** The world as a connection sees it: the class of sockets, a clock in seconds, timers, and randomness. */
export const WORLD = {
  open: (url, protocols) => new WebSocket(url, protocols),
  now: () => performance.now() / 1000,
  later: (seconds, call) => {
    const timer = setTimeout(call, seconds * 1000);
    return () => clearTimeout(timer);
  },
  random: Math.random,
};

/**
 * A connection. Its `state` is `closed`, `connecting`, `open`, `waiting` for the next attempt, or `closing`.
 *
 * It tells `on`: `state(state, seconds)`, `frame(data)`, `ended(code, reason, again, wasOpen)`.
 */
export class Socket {
  state = "closed";
  #world;
  #api;
  #on;
  #socket;
  #target;
  #backoff;
  #opened;
  #timers = new Set();

  constructor(api, on, world = WORLD) {
    this.#api = api;
    this.#on = on;
    this.#world = world;
  }

  /** The subprotocol that was agreed on; empty where there is none. */
  get protocol() {
    return this.#socket?.protocol ?? "";
  }

  /** Connects to `{url, protocols}`, now and after each loss that a client survives. Throws what a socket throws. */
  connect(target) {
    this.close();
    this.#drop();
    if (this.state !== "closed") this.#become("closed");
    this.#target = target;
    this.#backoff = new Backoff(this.#world.random);
    this.#opened = undefined;
    this.problem = undefined;
    this.#attempt();
  }

  /** Sends a frame; says whether there was a connection to send it on. */
  send(data) {
    if (this.state !== "open") return false;
    this.#socket.send(data);
    return true;
  }

  /** What the server told before it closed: the type of a problem, and after how many seconds to come back. */
  told(problem, retryAfter) {
    this.problem = { type: problem, retryAfter };
  }

  /** Calls back after some seconds, unless the connection ends before. */
  later(seconds, call) {
    const timers = this.#timers;
    const cancel = this.#world.later(seconds, () => {
      timers.delete(cancel);
      call();
    });
    timers.add(cancel);
  }

  /** Closes the connection, and comes back no more. */
  close() {
    if (this.state === "waiting") {
      this.#drop();
      this.#become("closed");
    } else if (this.state === "connecting" || this.state === "open") {
      this.#stop();
      this.#become("closing");
      this.#socket.close(1000);
      this.later(PATIENCE, () => this.#ended(1006, "", this.#socket));
    }
  }

  /** Gives up a connection that is silent, and tries again. */
  abandon(reason) {
    const socket = this.#socket;
    socket.close(4000, reason);
    this.#ended(1006, reason, socket);
  }

  #attempt() {
    const socket = this.#world.open(this.#target.url, this.#target.protocols);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    this.#backoff.attempted(this.#world.now());
    this.#become("connecting");
    socket.onopen = () => this.#mine(socket) && this.#open();
    socket.onmessage = (event) => this.#mine(socket) && this.#on.frame(event.data);
    socket.onclose = (event) => this.#mine(socket) && this.#ended(event.code, event.reason, socket);
    this.later(PATIENCE, () => this.abandon("no answer to the handshake"));
  }

  #mine(socket) {
    return socket === this.#socket;
  }

  #open() {
    this.#stop();
    this.#opened = this.#world.now();
    this.problem = undefined;
    this.#become("open");
  }

  #ended(code, reason, socket) {
    if (!this.#mine(socket)) return;
    const wasOpen = this.state === "open";
    const isWanted = this.state === "closing";
    const now = this.#world.now();
    const uptime = wasOpen ? now - this.#opened : 0;
    this.#drop();
    // A first attempt that fails is the user's to mend: the address, or the credentials.
    const again = !isWanted && this.#opened !== undefined && comesBack(this.#api, code, this.problem?.type);
    this.#on.ended(code, reason, again, wasOpen || isWanted);
    if (!again) {
      this.#become("closed");
      return;
    }
    const seconds = this.#backoff.delay(now, uptime, this.problem?.retryAfter);
    this.#become("waiting", seconds);
    this.later(seconds, () => this.#attempt());
  }

  #drop() {
    this.#stop();
    this.#socket = undefined;
  }

  #stop() {
    for (const cancel of this.#timers) cancel();
    this.#timers = new Set();
  }

  #become(state, seconds) {
    this.state = state;
    this.#on.state(state, seconds);
  }
}
