// A WebSocket that comes back by itself, to the groups that it was in, and hands each of their messages on once and in order.
// For browsers, Node 22 and later, Deno and Bun; it needs nothing else. docs/resume-protocol.md says what it speaks.

const SUBPROTOCOL = "sockspec.resume";
const CONTROL = '{"type":"sockspec.';
const RETRIABLE = new Set([1001, 1005, 1006, 1012, 1013, 1014]);
const MOST_POSITIONS = 500;
const PATIENCE = 10_000; // for a handshake and the answer to the first message

/** What a text says; nothing where it is no JSON. */
function parsed(text) {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

export class ResumingSocket {
  #url; #protocols; #handlers; #base; #cap;
  #socket = null; #timer = null; #failures = 0; #isClosed = false; #retryAfter = 0;
  #session = ""; #positions = new Map(); #place = null; #asked = false; #isNew = true; #hasLost = false;

  /** Whether the present connection goes on with an earlier one: then it is in its groups already. */
  resumed = false;

  /**
   * `url` is where to connect, or a function that gives it for each attempt, or a promise of it: with a fresh ticket, say.
   * `protocols` are other subprotocols to offer, such as `sockspec.bearer.TOKEN`.
   *
   * onopen()                               the connection can be used; look at `resumed` before you join anything. What it
   *                                        does may take time: until then the next connection is none that was resumed
   * onmessage(data)                        a message of the document: a string, or what WebSocket gives for binary ones
   * onrecovery({ resumed, recovered })     all that was missed has been handed on, or it was not possible
   * onclose(code, reason)                  the end: no further attempt is made
   */
  constructor(url, { protocols = [], base = 500, cap = 30_000, ...handlers } = {}) {
    this.#url = typeof url === "function" ? url : () => url;
    this.#protocols = protocols;
    this.#base = base;
    this.#cap = cap;
    this.#handlers = handlers;
    this.#connect();
  }

  /** Sends a message, or throws where there is no connection. It is for the application to send it again. */
  send(data) {
    if (!this.#socket?.isReady || this.#socket.readyState !== WebSocket.OPEN) throw new Error("there is no connection");
    this.#socket.send(data);
  }

  /** Leaves for good: the server forgets the session, and others hear of it at once. */
  close(code = 1000, reason = "") {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    if (this.#socket !== null) this.#socket.close(code, reason);
    else this.#handlers.onclose?.(code, reason);
  }

  async #connect() {
    let socket;
    try {
      const url = await this.#url();
      if (this.#isClosed) return;
      socket = new WebSocket(url, [SUBPROTOCOL, ...this.#protocols]);
    } catch {
      this.#again();
      return;
    }
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#begin(socket);
    socket.onmessage = ({ data }) => this.#receive(socket, data);
    socket.onclose = ({ code, reason }) => this.#ended(socket, code, reason);
    socket.timer = setTimeout(() => {
      socket.isLate = true;
      socket.close();
    }, PATIENCE);
  }

  #begin(socket) {
    this.#place = null;
    this.resumed = false;
    this.#asked = this.#session !== "";
    socket.resumes = socket.protocol === SUBPROTOCOL;
    if (socket.resumes) {
      const positions = [...this.#positions].slice(-MOST_POSITIONS).map(([group, { epoch, offset }]) => ({ group, epoch, offset }));
      socket.send(JSON.stringify({ type: "sockspec.resume", session: this.#session, positions }));
      return;
    }
    // A server that does not do this, or does so no more.
    this.#session = "";
    this.#positions.clear();
    this.#hasLost = false;
    this.#ready(socket);
    if (this.#asked) this.#tell(false, false);
  }

  async #ready(socket) {
    clearTimeout(socket.timer);
    this.#failures = 0;
    socket.isReady = true;
    await this.#handlers.onopen?.();
    if (socket === this.#socket) this.#isNew = false;
  }

  #receive(socket, data) {
    const isText = typeof data === "string";
    if (socket.resumes && isText && data.startsWith(CONTROL)) {
      this.#hear(socket, parsed(data));
      return;
    }
    if (isText && data.includes('"retryAfter"')) this.#noteWait(parsed(data));
    const place = this.#place;
    this.#place = null;
    const known = place === null ? undefined : this.#positions.get(place.group);
    if (known !== undefined && place.offset <= known.offset) return; // it was handed on before
    try {
      this.#handlers.onmessage?.(data);
    } finally {
      if (known !== undefined) this.#pass(place, known); // it was handed on, whatever became of it
    }
  }

  #hear(socket, message) {
    switch (message.type) {
      case "sockspec.session":
        this.#session = message.session;
        if (!message.resumed) {
          this.#isNew = true;
          this.#hasLost = this.#asked;
          this.#positions.clear();
        }
        this.resumed = !this.#isNew;
        this.#ready(socket);
        break;
      case "sockspec.joined":
        this.#positions.set(message.group, { epoch: message.epoch, offset: message.offset });
        if (this.#asked) this.#hasLost ||= message.lost === true;
        else if (message.lost) this.#tell(true, false);
        break;
      case "sockspec.left":
        this.#positions.delete(message.group);
        break;
      case "sockspec.position": {
        const known = this.#positions.get(message.group);
        if (!message.skip) this.#place = message;
        else if (known !== undefined && message.offset > known.offset) this.#pass(message, known);
        break;
      }
      case "sockspec.recovered":
        if (this.#asked) {
          const isWhole = message.recovered === true && !this.#hasLost;
          this.#asked = this.#hasLost = false;
          this.#tell(this.resumed, isWhole);
        }
        break;
      // What is not known is of a newer server, and left out.
    }
  }

  #pass(place, known) {
    this.#positions.set(place.group, { epoch: known.epoch, offset: place.offset });
    if ((place.after ?? place.offset - 1) > known.offset) this.#tell(true, false);
  }

  #tell(resumed, recovered) {
    this.#handlers.onrecovery?.({ resumed, recovered });
  }

  #noteWait(message) {
    const seconds = Number(message.error?.retryAfter ?? message.retryAfter);
    this.#retryAfter = Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), 300) : 0;
  }

  #ended(socket, code, reason) {
    clearTimeout(socket.timer);
    this.#socket = null;
    if (this.#isClosed || !(socket.isLate || RETRIABLE.has(code))) {
      this.#isClosed = true;
      this.#handlers.onclose?.(code, reason);
    } else this.#again();
  }

  #again() {
    const longest = Math.min(this.#cap, this.#base * 2 ** Math.min(this.#failures++, 16));
    const wait = Math.random() * longest + 1000 * this.#retryAfter;
    this.#retryAfter = 0;
    this.#timer = setTimeout(() => this.#connect(), wait);
  }
}
