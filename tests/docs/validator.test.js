// The validator of the page against the JSON Schema Test Suite, the formats of the runtime, and its own words.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";

import { FORMATS } from "../../templates/docs/script/formats.js";
import { parsed, written } from "../../templates/docs/script/numbers.js";
import { validator } from "../../templates/docs/script/validator.js";

const SHARED = process.env.SOCKSPEC_SHARED;
const DRAFTS = {
  draft7: "http://json-schema.org/draft-07/schema#",
  "draft2020-12": "https://json-schema.org/draft/2020-12/schema",
};

/**
 * How many schemas of each file are left out: they refer beyond themselves, by `$id`, `$anchor`, `$dynamicRef` or a URL.
 * The page has one document whose references are pointers into it; what leads elsewhere is refused when it is read.
 */
const FOREIGN = {
  draft7: { "definitions.json": 1, "ref.json": 22, "refRemote.json": 11 },
  "draft2020-12": {
    "anchor.json": 4,
    "defs.json": 1,
    "dynamicRef.json": 20,
    "ref.json": 21,
    "refRemote.json": 15,
    "unevaluatedItems.json": 1,
    "unevaluatedProperties.json": 1,
    "vocabulary.json": 1,
  },
};

/** Formats that the suite wants to describe only, and that payloads are held to. */
const ASSERTED = /^(date|date-time|time|uuid) format: invalid .* is only an annotation by default$/;

function isForeign(schema) {
  if (schema === null || typeof schema !== "object") return false;
  if (typeof schema.$ref === "string" && !/^#(\/|$)/.test(schema.$ref)) return true;
  if (["$id", "id", "$anchor", "$dynamicRef", "$dynamicAnchor"].some((word) => typeof schema[word] === "string"))
    return true;
  return Object.entries(schema).some(([word, inner]) => word !== "const" && word !== "enum" && isForeign(inner));
}

function* groups(draft) {
  const folder = join(SHARED, "oracle", "json-schema-test-suite", "tests", draft);
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
    for (const group of parsed(readFileSync(join(folder, file), "utf8"))) yield [file, group];
  }
}

for (const [draft, $schema] of Object.entries(DRAFTS)) {
  test(
    `the verdict is that of the test suite: ${draft}`,
    { skip: SHARED ? false : "SOCKSPEC_SHARED is not set" },
    () => {
      const wrong = [];
      const foreign = {};
      let judged = 0;
      for (const [file, { description, schema, tests }] of groups(draft)) {
        if (isForeign(schema)) {
          foreign[file] = (foreign[file] ?? 0) + 1;
          continue;
        }
        const isBoolean = typeof schema === "boolean";
        const judge = validator(isBoolean ? { $schema, schema } : { ...schema, $schema });
        for (const { description: what, data, valid } of tests) {
          judged += 1;
          const isValid = judge.faults(isBoolean ? "#/schema" : "#", data).length === 0;
          if (isValid !== valid && !ASSERTED.test(`${description}: ${what}`))
            wrong.push(`${file}: ${description}: ${what}`);
        }
      }
      assert.deepEqual(wrong, []);
      assert.deepEqual(foreign, FOREIGN[draft]);
      assert.ok(judged > 800);
    },
  );
}

test(
  "formats are read as the runtime reads them",
  { skip: process.env.SOCKSPEC_FORMATS ? false : "no verdicts given" },
  () => {
    const wrong = [];
    let judged = 0;
    for (const [format, verdicts] of Object.entries(JSON.parse(process.env.SOCKSPEC_FORMATS))) {
      for (const [text, verdict] of verdicts) {
        judged += 1;
        if (FORMATS.get(format)(text) !== verdict) wrong.push([format, text, verdict]);
      }
    }
    assert.deepEqual(wrong, []);
    assert.deepEqual(Object.keys(JSON.parse(process.env.SOCKSPEC_FORMATS)).sort(), [...FORMATS.keys()].sort());
    assert.ok(judged > 100);
  },
);

const SAYS = [
  [{ type: "string" }, 1, ": is a number, and has to be a string"],
  [{ type: ["string", "null"] }, 1, ": is a number, and has to be a string or null"],
  [{ properties: { a: { minLength: 1 } } }, { a: "" }, "/a: is empty"],
  [{ required: ["a/b"] }, {}, ': "a/b" is missing'],
  [{ additionalProperties: false }, { "a/b": 1 }, "/a~1b: is not known here"],
  [{ items: { maximum: 3 } }, [1, 5], "/1: is more than 3"],
  [{ enum: ["a", "b"] }, "c", ': is "c", and not one of "a", "b"'],
  [{ minProperties: 2 }, { a: 1 }, ": has fewer than 2 properties"],
  [{ oneOf: [{ type: "string" }, { type: "null" }] }, 1, ": fits none of the 2 alternatives"],
  [
    { oneOf: [{ required: ["n"], properties: { k: { const: "a" } } }, { properties: { k: { const: "b" } } }] },
    { k: "a" },
    ': "n" is missing',
  ],
];

test("faults are told in words for people, at their places", () => {
  const said = SAYS.map(([schema, value]) => {
    const faults = validator({ $schema: DRAFTS["draft2020-12"], ...schema }).faults("#", value);
    return faults.map(({ pointer, message }) => `${pointer}: ${message}`).join("; ");
  });
  assert.deepEqual(
    said,
    SAYS.map(([, , words]) => words),
  );
});

test("integers that no float holds are told apart", () => {
  const judge = validator({
    $schema: DRAFTS["draft2020-12"],
    maximum: 9007199254740992,
    type: "integer",
    multipleOf: 2,
  });
  assert.deepEqual(judge.faults("#", parsed("9007199254740992")), []);
  assert.deepEqual(
    judge.faults("#", parsed("9007199254740993")).map((fault) => fault.keyword),
    ["multipleOf", "maximum"],
  );
  assert.equal(written(parsed('{"id":9007199254740993,"x":1.5e3}')), '{"id":9007199254740993,"x":1500}');
  assert.throws(() => parsed("[1e999]"), SyntaxError);
});

test("what is nested or large without end comes to an end", () => {
  let deep = 1;
  for (let at = 0; at < 3000; at += 1) deep = [deep];
  const nested = validator({ $schema: DRAFTS.draft7, items: { $ref: "#" } }).faults("#", deep);
  assert.deepEqual(
    nested.map((fault) => fault.message),
    ["is nested too deeply to be judged"],
  );
  const loop = validator({ $schema: DRAFTS["draft2020-12"], allOf: [{ $ref: "#" }, { $ref: "#" }] }).faults("#", 1);
  assert.ok(loop.length > 0);
  const many = validator({ items: { anyOf: [{ minimum: 1 }, {}] } }).faults("#", new Array(400000).fill(0));
  assert.deepEqual(
    many.map((fault) => fault.message),
    ["is too large to be judged wholly"],
  );
});

test("costly patterns are not tried on long texts", () => {
  const judge = validator({ pattern: "^(a+)+$" }, ["^(a+)+$"]);
  assert.deepEqual(judge.faults("#", `${"a".repeat(40)}!`), []);
  assert.equal(judge.faults("#", "aaa!").length, 1);
});

test("properties of every object are no properties of a payload", () => {
  const judge = validator({ required: ["constructor", "__proto__"], properties: { toString: { type: "string" } } });
  assert.deepEqual(
    judge.faults("#", {}).map((fault) => fault.missing),
    ["constructor", "__proto__"],
  );
  assert.deepEqual(judge.faults("#", parsed('{"constructor": 1, "__proto__": 2}')), []);
});
