// Payloads that are made from schemas, and payloads that are told apart.

import assert from "node:assert/strict";
import test from "node:test";

import {
  at,
  candidates,
  flattened,
  initial,
  pong,
  recognized,
  Requests,
  withValue,
} from "../../templates/docs/script/payloads.js";
import { validator } from "../../templates/docs/script/validator.js";

const NOW = new Date("2025-03-01T09:30:00.000Z");
const DOCUMENT = {
  $schema: "http://json-schema.org/draft-07/schema#",
  definitions: {
    Stamp: { type: "string", format: "date-time" },
    Tree: { type: "object", required: ["inner"], properties: { inner: { $ref: "#/definitions/Tree" } } },
  },
};

const MADE = [
  [{ const: "join" }, "join"],
  [{ type: "integer", default: 7 }, 7],
  [{ enum: ["b", "a"] }, "b"],
  [{ type: "string", examples: ["x"] }, "x"],
  [{ $ref: "#/definitions/Stamp" }, "2025-03-01T09:30:00.000Z"],
  [{ type: "string", format: "date" }, "2025-03-01"],
  [{ type: "string", format: "time" }, "09:30:00"],
  [{ type: "integer", minimum: 3 }, 3],
  [{ type: "number", maximum: -2 }, -2],
  [{ type: ["null", "boolean"] }, false],
  [{ type: "array", minItems: 2, items: { type: "integer" } }, [0, 0]],
  [{ items: [{ const: 1 }, { const: 2 }] }, [1, 2]],
  [{ oneOf: [{ const: "one" }, { const: "two" }] }, "one"],
  [{ required: ["a"], properties: { a: { type: "string" }, b: {} } }, { a: "" }],
  [{ allOf: [{ required: ["a"], properties: { a: { const: 1 } } }, { required: ["b"] }] }, { a: 1, b: null }],
  [{}, null],
];

test("a payload to begin with has what is required, as the schema would have it", () => {
  assert.deepEqual(
    MADE.map(([schema]) => initial(DOCUMENT, schema, NOW)),
    MADE.map(([, value]) => value),
  );
});

test("a schema that is made of itself without end gives a payload all the same", () => {
  let found = initial(DOCUMENT, { $ref: "#/definitions/Tree" }, NOW);
  let depth = 0;
  for (; found !== null; depth += 1) found = found.inner;
  assert.equal(depth, 13);
  assert.deepEqual(flattened({ a: { $ref: "#/a" } }, { $ref: "#/a" }).$ref, "#/a");
});

test("a value is changed at its path, whatever its names", () => {
  const changed = withValue({ a: [1, { b: 2 }] }, ["a", 1, "__proto__"], 3);
  assert.equal(at(changed, ["a", 1, "__proto__"]), 3);
  assert.equal(Object.getPrototypeOf(changed.a[1]), Object.prototype);
  assert.equal(at({}, ["constructor"]), undefined);
});

const DISPATCH = {
  path: ["type"],
  second: ["kind"],
  position: 0,
  choices: [
    { message: "A", values: ["a"], isRequired: true },
    { message: "BX", values: ["b"], seconds: ["x"], isRequired: true },
    { message: "BY", values: ["b"], seconds: ["y"], isRequired: true },
    { message: "List", values: ["l"], isRequired: true, isArray: true },
    { message: "Few", demands: ["id"] },
    { message: "Many", demands: ["id", "data"] },
  ],
};

const TOLD_APART = [
  [{ type: "a" }, ["A"]],
  [{ type: "b", kind: "y" }, ["BY"]],
  [{ type: "b", kind: "z" }, []],
  [
    ["l", 1],
    ["List", "Many", "Few"],
  ],
  [{ id: 1, data: 2 }, ["Many", "Few"]],
  [{ id: 1 }, ["Few"]],
  [{ type: "a", id: 1 }, ["A", "Few"]],
  [{}, []],
];

test("messages are told apart by tags, pairs of tags, items, and what they require, the most first", () => {
  assert.deepEqual(
    TOLD_APART.map(([payload]) => candidates(DISPATCH, payload)),
    TOLD_APART.map(([, names]) => names),
  );
});

test("a payload is the first message that it may be and that its schema allows", () => {
  const api = { schemas: { d: { s: { required: ["x"] } } }, messages: { One: { schema: "#/d/s" }, Two: {} } };
  const judge = validator(api.schemas);
  const dispatch = { path: ["t"], choices: [{ message: "One", demands: ["x"] }, { message: "Two" }] };
  assert.deepEqual(recognized(api, judge, dispatch, { x: 1 }), { message: "One", faults: [] });
  assert.deepEqual(recognized(api, judge, dispatch, {}), { message: "Two", faults: [] });
  const tagged = { path: ["t"], choices: [{ message: "One", values: ["one"], isRequired: true }] };
  assert.equal(
    recognized(api, judge, tagged, { t: "two" }).faults[0].message,
    'is no message of this endpoint: t is "two", and has to be one of one',
  );
  assert.deepEqual(
    recognized(api, judge, tagged, { t: "one" }).faults.map((fault) => fault.message),
    ['"x" is missing'],
  );
});

test("a pong repeats what it has in common with the ping, and has a time of its own", () => {
  const schema = {
    required: ["type", "timestamp"],
    properties: { type: { const: "pong" }, timestamp: { type: "string", format: "date-time" }, id: {}, other: {} },
  };
  const ping = { type: "ping", timestamp: "2000-01-01T00:00:00Z", id: 5, extra: 1 };
  assert.deepEqual(pong({}, schema, ping, NOW), { type: "pong", timestamp: NOW.toISOString(), id: 5 });
});

test("replies find their requests by what they repeat, or are the oldest's that they answer", () => {
  const requests = new Requests();
  requests.add({ id: 1 }, ["History"], "h-1");
  requests.add({ id: 2 }, ["History"], "h-2");
  requests.add({ id: 3 }, ["Page"], undefined);
  assert.equal(requests.answered("Page", undefined).id, 3);
  assert.equal(requests.answered("History", "h-2").id, 2);
  assert.equal(requests.answered("Other", "h-1"), undefined);
  assert.equal(requests.answered("Error", undefined, true), undefined);
  assert.equal(requests.answered("Error", "h-1", true).id, 1);
  assert.equal(requests.answered("History", "h-1"), undefined);
});
