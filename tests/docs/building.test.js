/** The URL builder. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { built } from "../../templates/docs/script/building.js";

test("blanks are filled in, and those of the path are escaped", () => {
  const values = new Map([["region", "eu"], ["room", "a/b ä?"]]);
  const url = built("wss://{region}.example.com/v1/", "/rooms/{room}", values, []);
  assert.equal(url, "wss://eu.example.com/v1/rooms/a%2Fb%20%C3%A4%3F");
});

test("what is empty stays to be seen", () => {
  assert.equal(built("wss://{region}.example.com", "/rooms/{room}", new Map([["room", ""]]), []), "wss://{region}.example.com/rooms/{room}");
});

test("the query has what is given, escaped", () => {
  assert.equal(built("wss://x", "/a", new Map(), [["q", "1&2"], ["r", ""], ["s t", "="]]), "wss://x/a?q=1%262&s%20t=%3D");
  assert.equal(built("wss://x", "/a?v=1", new Map(), [["q", "2"]]), "wss://x/a?v=1&q=2");
});
