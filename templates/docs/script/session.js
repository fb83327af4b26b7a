/** The conversation with a channel: what is sent and received is judged, logged, and replies are found for requests. */

import { explained } from "./closing.js";
import { Log } from "./log.js";
import { parsed, written } from "./numbers.js";
import { at, initial, pong, recognized, Requests, withValue } from "./payloads.js";
import { Socket, WORLD } from "./socket.js";
import { schemaAt, validator } from "./validator.js";

const NOBODY =
  "nothing listens there, the server refuses, or this browser does not let pages connect there; it does not say which";

/** How many bytes a text has on the wire. */
export function bytesOf(text) {
  return new TextEncoder().encode(text).length;
}

/** A session with one channel after the other. It tells `on`: `state(state, seconds)` and `entry(entry)`. */
export class Session {
  log = new Log();
  #api;
  #on;
  #requests = new Requests();
  #ids = 0;
  #heard = true;

  constructor(api, on, world = WORLD) {
    this.#api = api;
    this.#on = on;
    this.judge = validator(api.schemas, api.costly);
    this.channel = api.channels[0];
    this.socket = new Socket(
      api,
      {
        state: (state, seconds) => this.#changed(state, seconds),
        frame: (data) => this.#received(data),
        ended: (code, reason, again, wasOpen) => this.#ended(code, reason, again, wasOpen),
      },
      world,
    );
  }

  /** Connects to a channel. `shown` is the URL as people may see it. */
  connect(channel, target, shown) {
    this.channel = channel;
    this.#note(`connects to ${shown}`);
    try {
      this.socket.connect(target);
    } catch (error) {
      this.#note(`this browser refuses to connect: ${error.message}`, true);
    }
  }

  /** A payload of a message to begin with: the first example that is valid, or what its schema requires. */
  draft(name) {
    const message = this.#api.messages[name];
    if (message.content) return "";
    const made = initial(this.#api.schemas, message.schema ? schemaAt(this.#api.schemas, message.schema) : true);
    if (!message.correlation || at(made, message.correlation) === undefined) return made;
    return this.renewed(name, made);
  }

  /** The payload with an id that no earlier request of this page had, where the message has a place for it. */
  renewed(name, payload) {
    const { correlation } = this.#api.messages[name];
    if (!correlation || typeof at(payload, correlation) !== "string") return payload;
    this.#ids += 1;
    return withValue(payload, correlation, `${name}-${this.#ids}`);
  }

  /** The payload for another time: with an id of its own, and with the time where it had one that says when it was sent. */
  again(name, payload) {
    const stamped = typeof at(payload, ["timestamp"]) === "string";
    return this.renewed(name, stamped ? withValue(payload, ["timestamp"], new Date().toISOString()) : payload);
  }

  /** What is wrong with a payload of a message. */
  faults(name, payload) {
    const { schema, content } = this.#api.messages[name];
    const faults = content || !schema ? [] : this.judge.faults(schema, payload);
    const most = this.channel.maxMessage;
    const size = content ? bytesOf(payload) : bytesOf(written(payload));
    if (!most || size <= most) return faults;
    return [...faults, { pointer: "", keyword: "", message: `has ${size} bytes, and the server takes ${most}` }];
  }

  /** Sends a payload as it is; says whether there was a connection. */
  send(name, payload, isBeat = false) {
    const { content, correlation } = this.#api.messages[name];
    const text = content ? payload : written(payload);
    const data = content === "binary" ? Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0)) : text;
    return this.#send(data, { message: name, text, payload: content ? undefined : payload, isBeat }, correlation);
  }

  /** Sends a text whatever it is, as none of the messages. */
  sendText(text) {
    return this.#send(text, { text });
  }

  #send(data, said, correlation = []) {
    if (!this.socket.send(data)) return false;
    const faults =
      said.message && !said.isBeat && said.payload !== undefined ? this.faults(said.message, said.payload) : [];
    const size = typeof data === "string" ? bytesOf(data) : data.byteLength;
    const entry = this.#add({ direction: "sent", size, faults, isBinary: typeof data !== "string", ...said });
    const replies = this.channel.replies?.[said.message];
    if (replies) this.#requests.add(entry, replies, correlation.length ? at(said.payload, correlation) : undefined);
    return true;
  }

  #received(data) {
    this.#heard = true;
    if (typeof data !== "string") {
      const text = btoa(Array.from(new Uint8Array(data), (byte) => String.fromCharCode(byte)).join(""));
      this.#plain("binary", { text, size: data.byteLength, isBinary: true });
      return;
    }
    const size = bytesOf(data);
    let payload;
    try {
      payload = parsed(data);
    } catch (error) {
      this.#plain("text", { text: data, size }, `is not JSON: ${error.message}`);
      return;
    }
    const found = recognized(this.#api, this.judge, this.channel.receives, payload);
    this.#take({ direction: "received", text: data, payload, size, ...found });
  }

  /** A frame that is no JSON: the message of that kind, or a fault. */
  #plain(content, frame, why = "is binary, and no message of this endpoint is") {
    const names = (this.channel.receives?.choices ?? []).map((choice) => choice.message);
    const message = names.find((name) => this.#api.messages[name].content === content) ?? "";
    const faults = message ? [] : [{ pointer: "", keyword: "", message: why }];
    this.#add({ direction: "received", message, faults, ...frame });
  }

  #take(entry) {
    const { heartbeat } = this.channel;
    const isBeat = heartbeat !== undefined && entry.message === (heartbeat.isOurs ? heartbeat.pong : heartbeat.ping);
    const message = this.#api.messages[entry.message];
    const problem = message?.isError ? problemOf(entry.payload) : undefined;
    if (problem) this.socket.told(problem.type, problem.retryAfter);
    const id = problem ? problem.id : message?.correlation ? at(entry.payload, message.correlation) : undefined;
    const request = message ? this.#requests.answered(entry.message, id, problem !== undefined) : undefined;
    const added = this.#add({ ...entry, isBeat, answers: request?.id });
    if (request) {
      request.answered = added.id;
      this.#on.entry(request);
    }
    if (isBeat && !heartbeat.isOurs && !entry.faults.length) this.#answer(heartbeat, entry.payload);
  }

  #answer(heartbeat, ping) {
    const { schema = "" } = this.#api.messages[heartbeat.pong];
    this.send(heartbeat.pong, pong(this.#api.schemas, schemaAt(this.#api.schemas, schema), ping), true);
  }

  #beat() {
    const { heartbeat } = this.channel;
    this.socket.later(heartbeat.interval, () => {
      this.#heard = false;
      this.send(heartbeat.ping, this.draft(heartbeat.ping), true);
      this.socket.later(heartbeat.timeout, () => {
        if (this.#heard) this.#beat();
        else this.socket.abandon("no answer to a heartbeat");
      });
    });
  }

  #changed(state, seconds) {
    if (state === "open") {
      const { protocol } = this.socket;
      this.#note(protocol ? `is connected, and speaks ${protocol}` : "is connected");
      if (this.channel.heartbeat?.isOurs) this.#beat();
    }
    if (state === "waiting") this.#note(`connects again in ${seconds.toFixed(1)} s`);
    this.#on.state(state, seconds);
  }

  #ended(code, reason, again, wasOpen) {
    this.#requests.clear();
    const why = explained(this.#api, this.channel, code, reason);
    if (wasOpen || again) this.#note(`the connection has ended: ${why}`, code !== 1000 && code !== 1005);
    else this.#note(`no connection: ${NOBODY}`, true);
  }

  #note(text, isBad = false) {
    this.#add({ direction: "note", text, isBad });
  }

  #add(entry) {
    const added = this.log.add({ time: Date.now(), ...entry });
    this.#on.entry(added);
    return added;
  }
}

/** The problem that an error message tells: its type, the request that it is about, and when to come back. */
function problemOf(payload) {
  const details = at(payload, ["error"]) ?? payload;
  return {
    type: at(details, ["type"]),
    id: at(payload, ["id"]) ?? at(details, ["id"]),
    retryAfter: at(details, ["retryAfter"]),
  };
}
