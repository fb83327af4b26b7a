// Connections and conversations, over sockets, a clock and randomness that are given.

import assert from "node:assert/strict";
import test from "node:test";

import { Backoff } from "../../templates/docs/script/backoff.js";
import { comesBack, explained } from "../../templates/docs/script/closing.js";
import { Log, MOST_ENTRIES, ndjson, passes } from "../../templates/docs/script/log.js";
import { Session } from "../../templates/docs/script/session.js";

const PROBLEMS = {
  "/problems/service-restart": { close: 1012, again: true },
  "/problems/forbidden": { close: 3003 },
  "/problems/too-many-requests": { close: 1008, again: true },
  "/problems/validation-error": { close: 1008 },
};

const CLOSINGS = {
  1000: { meaning: "The work is done." },
  1001: { meaning: "The server goes away.", again: true },
  1006: { meaning: "Broken off.", again: true },
  1012: { meaning: "The server restarts.", again: true },
};

const string = { type: "string" };
const API = {
  problems: PROBLEMS,
  closings: CLOSINGS,
  costly: [],
  schemas: {
    definitions: {
      Ask: {
        type: "object",
        required: ["t", "id"],
        properties: { t: { const: "ask" }, id: { type: "string", minLength: 1 } },
      },
      Answer: { type: "object", required: ["t", "id"], properties: { t: { const: "answer" }, id: string } },
      Error: { type: "object", required: ["t", "error"], properties: { t: { const: "error" }, error: {} } },
      Ping: { type: "object", required: ["t"], properties: { t: { const: "ping" } } },
      Pong: { type: "object", required: ["t"], properties: { t: { const: "pong" } } },
    },
  },
  messages: Object.fromEntries(
    ["Ask", "Answer", "Error", "Ping", "Pong"].map((name) => [
      name,
      { schema: `#/definitions/${name}`, isError: name === "Error" },
    ]),
  ),
  channels: [],
};
for (const name of ["Ask", "Answer"]) API.messages[name].correlation = ["id"];

function dispatch(...names) {
  return {
    path: ["t"],
    choices: names.map((name) => ({ message: name, values: [name.toLowerCase()], isRequired: true })),
  };
}

function channel(more = {}) {
  return {
    name: "c",
    sends: dispatch("Ask", "Pong", "Ping"),
    receives: dispatch("Answer", "Error", "Ping", "Pong"),
    replies: { Ask: ["Answer"] },
    ...more,
  };
}

/** A world in which nothing happens by itself. */
function world() {
  const timers = new Set();
  const sockets = [];
  let time = 0;
  return {
    sockets,
    get socket() {
      return sockets.at(-1);
    },
    open(url, protocols) {
      const socket = { url, protocols, sent: [], protocol: "", closed: undefined };
      socket.send = (data) => socket.sent.push(data);
      socket.close = (code) => {
        socket.closed = code;
      };
      sockets.push(socket);
      return socket;
    },
    now: () => time,
    random: () => 1,
    later(seconds, call) {
      const timer = { at: time + seconds, call };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    pass(seconds) {
      const until = time + seconds;
      for (;;) {
        const [next] = [...timers].filter((one) => one.at <= until).sort((one, other) => one.at - other.at);
        if (next === undefined) break;
        timers.delete(next);
        time = next.at;
        next.call();
      }
      time = until;
    },
  };
}

function begun(more) {
  const given = world();
  const states = [];
  const session = new Session(
    { ...API, channels: [channel(more)] },
    { state: (state) => states.push(state), entry() {} },
    given,
  );
  session.connect(session.channel, { url: "ws://a", protocols: [] }, "ws://a");
  return { given, states, session, hear: (value) => given.socket.onmessage({ data: JSON.stringify(value) }) };
}

function opened(more) {
  const all = begun(more);
  all.given.socket.onopen();
  return all;
}

test("a connection that breaks comes back, later each time, and says so", () => {
  const { given, states, session } = opened();
  given.pass(1);
  given.socket.onclose({ code: 1006, reason: "" });
  assert.deepEqual(states, ["connecting", "open", "waiting"]);
  given.pass(0.5);
  assert.equal(given.sockets.length, 2);
  given.socket.onclose({ code: 1006, reason: "" });
  given.pass(0.9);
  assert.equal(given.sockets.length, 2);
  given.pass(0.1);
  assert.equal(given.sockets.length, 3);
  given.socket.onopen();
  assert.equal(states.at(-1), "open");
  assert.deepEqual(
    session.log.entries.map((entry) => entry.text),
    [
      "connects to ws://a",
      "is connected",
      "the connection has ended: 1006 · Broken off.",
      "connects again in 0.5 s",
      "the connection has ended: 1006 · Broken off.",
      "connects again in 1.0 s",
      "is connected",
    ],
  );
});

test("a first attempt that fails, a normal end and a refusal are final", () => {
  const failed = begun();
  failed.given.socket.onclose({ code: 1006, reason: "" });
  assert.equal(failed.states.at(-1), "closed");
  for (const code of [1000, 3003, 4001]) {
    const { given, states } = opened();
    given.socket.onclose({ code, reason: "" });
    assert.equal(states.at(-1), "closed");
  }
});

test("the user closes, and what a late socket does no longer matters", () => {
  const { given, states, session } = opened();
  const late = given.socket;
  session.socket.close();
  assert.deepEqual([late.closed, states.at(-1)], [1000, "closing"]);
  given.pass(10);
  assert.equal(states.at(-1), "closed");
  late.onclose({ code: 1001, reason: "" });
  late.onmessage({ data: "{}" });
  given.pass(60);
  assert.deepEqual([given.sockets.length, states.at(-1)], [1, "closed"]);
});

test("what the browser refuses at once is told, and nothing is left of the connection before", () => {
  const { given, states, session } = opened();
  const before = given.socket;
  given.open = () => {
    throw new SyntaxError("no such subprotocol");
  };
  session.connect(session.channel, { url: "ws://b", protocols: ["a b"] }, "ws://b");
  assert.deepEqual([before.closed, states.at(-1)], [1000, "closed"]);
  assert.equal(session.log.entries.at(-1).text, "this browser refuses to connect: no such subprotocol");
});

test("a handshake that is not answered is given up", () => {
  const { given, states } = begun();
  given.pass(10);
  assert.deepEqual([given.socket.closed, states.at(-1)], [4000, "closed"]);
});

test("a server that names a time to come back is given it", () => {
  const { given, hear, session } = opened();
  hear({ t: "error", error: { type: "/problems/service-restart", retryAfter: 20 } });
  given.socket.onclose({ code: 1012, reason: "" });
  assert.equal(session.log.entries.at(-1).text, "connects again in 40.0 s");
});

test("requests and replies are linked, also when the reply is an error", () => {
  const { session, hear } = opened();
  const [first, second] = [session.draft("Ask"), session.draft("Ask")];
  assert.deepEqual([first.id, second.id], ["Ask-1", "Ask-2"]);
  session.send("Ask", first);
  session.send("Ask", second);
  hear({ t: "answer", id: "Ask-2" });
  hear({ t: "error", id: "Ask-1", error: { type: "/problems/validation-error" } });
  const linked = session.log.entries.filter((entry) => entry.direction !== "note");
  const [one, two, three, four] = linked.map((entry) => entry.id);
  assert.deepEqual(
    linked.map((entry) => entry.answered),
    [four, three, undefined, undefined],
  );
  assert.deepEqual(
    linked.map((entry) => entry.answers),
    [undefined, undefined, two, one],
  );
});

test("what comes is judged, and what is no message is said to be none", () => {
  const { session, hear, given } = opened();
  hear({ t: "answer" });
  hear({ t: "else" });
  given.socket.onmessage({ data: "no" });
  given.socket.onmessage({ data: new Uint8Array([0, 255]).buffer });
  const received = session.log.entries.filter((entry) => entry.direction === "received");
  assert.deepEqual(
    received.map((entry) => entry.message),
    ["Answer", "", "", ""],
  );
  assert.deepEqual(
    received.map((entry) => entry.faults[0].message.slice(0, 30)),
    [
      '"id" is missing',
      "is no message of this endpoint",
      "is not JSON: Unexpected token ",
      "is binary, and no message of t",
    ],
  );
  assert.deepEqual([received[3].text, received[3].size], ["AP8=", 2]);
});

test("a message that is too large for the server is at fault", () => {
  const { session } = opened({ maxMessage: 20 });
  assert.deepEqual(
    session.faults("Ask", { t: "ask", id: "1234567890" }).map((fault) => fault.message),
    ["has 29 bytes, and the server takes 20"],
  );
});

const BEAT = { ping: "Ping", pong: "Pong", interval: 5, timeout: 2 };

test("the server's heartbeat is answered", () => {
  const { given, hear, session } = opened({ heartbeat: { ...BEAT, isOurs: false } });
  hear({ t: "ping" });
  assert.deepEqual(given.socket.sent, ['{"t":"pong"}']);
  assert.deepEqual(
    session.log.entries.slice(-2).map((entry) => entry.isBeat),
    [true, true],
  );
});

test("a heartbeat of the client is sent, and a server that does not answer it is given up", () => {
  const { given, hear, states } = opened({ heartbeat: { ...BEAT, isOurs: true } });
  given.pass(5);
  hear({ t: "pong" });
  given.pass(7);
  assert.deepEqual(given.socket.sent, ['{"t":"ping"}', '{"t":"ping"}']);
  given.pass(2);
  assert.deepEqual([given.sockets[0].closed, states.at(-1)], [4000, "waiting"]);
});

test("delays double up to thirty seconds, start anew after a stable connection, and attempts are few in any window", () => {
  const backoff = new Backoff(() => 1);
  const delays = Array.from({ length: 8 }, () => backoff.delay(0));
  assert.deepEqual(delays, [0.5, 1, 2, 4, 8, 16, 30, 30]);
  assert.equal(backoff.delay(0, 10), 0.5);
  const eager = new Backoff(() => 0);
  for (let at = 0; at < 5; at += 1) eager.attempted(at);
  assert.equal(eager.delay(4), 26);
  assert.equal(eager.delay(40, 0, 1000), 300);
  assert.equal(eager.delay(40, 0, NaN), 0);
});

test("close codes are explained by the document, or as they are everywhere", () => {
  const own = channel({ closeCodes: { 4001: "Signed out" } });
  const says = [4001, 1012, 1009, 4999].map((code) => explained(API, own, code, code === 1009 ? "so big" : ""));
  assert.deepEqual(says, ["4001 · Signed out", "1012 · The server restarts.", "1009 · so big", "4999"]);
});

test("a client comes back when the problem or the code says so", () => {
  assert.equal(comesBack(API, 1008, "/problems/too-many-requests"), true);
  assert.equal(comesBack(API, 1008, "/problems/validation-error"), false);
  assert.equal(comesBack(API, 4123, "/problems/service-restart"), true);
  assert.equal(comesBack(API, 1001, "toString"), true);
  assert.equal(comesBack(API, 1002, undefined), false);
});

test("the log keeps the latest entries, filters them, and gives them as NDJSON", () => {
  const log = new Log();
  for (let at = 0; at < MOST_ENTRIES + 5; at += 1)
    log.add({ time: 0, direction: "sent", message: "A", payload: at, text: `${at}` });
  assert.deepEqual([log.entries.length, log.entries[0].id], [MOST_ENTRIES, 6]);
  const entry = { direction: "sent", message: "A", text: "Hello", faults: [], isBeat: false };
  const all = [{}, { direction: "sent" }, { message: "B" }, { text: "hELL" }, { faults: true }];
  assert.deepEqual(
    all.map((filter) => passes(filter, entry)),
    [true, true, false, true, false],
  );
  assert.deepEqual(
    [passes({}, { ...entry, isBeat: true }), passes({ beats: true }, { ...entry, isBeat: true })],
    [false, true],
  );
  const lines = ndjson([
    {
      time: 0,
      direction: "received",
      message: "A",
      payload: { id: 9007199254740993n },
      faults: [{ pointer: "", keyword: "k", message: "m", missing: "x" }],
      size: 3,
      answers: 1,
    },
    { time: 0, direction: "note", message: "", text: "is\nconnected", faults: [], size: 0 },
  ]);
  assert.equal(
    lines,
    '{"time":"1970-01-01T00:00:00.000Z","direction":"received","message":"A","payload":{"id":9007199254740993},' +
      '"faults":[{"pointer":"","keyword":"k","message":"m"}],"size":3,"answers":1}\n' +
      '{"time":"1970-01-01T00:00:00.000Z","direction":"note","text":"is\\nconnected","size":0}\n',
  );
});
