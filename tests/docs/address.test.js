// Where a connection goes, and how credentials travel.

import assert from "node:assert/strict";
import test from "node:test";

import { discreet, placements, target } from "../../templates/docs/script/address.js";
import { ownServer } from "../../templates/docs/script/connecting.js";
import { plainly } from "../../templates/docs/script/wording.js";

const SERVER = {
  server: "wss://{region}.example.com/v1/",
  values: new Map([
    ["region", "eu"],
    ["room", "a/b ü"],
  ]),
};

test("an address is filled in, and its parameters are escaped", () => {
  const found = target({
    ...SERVER,
    address: "/rooms/{room}",
    query: [
      ["v", "1 2"],
      ["w", ""],
    ],
  });
  assert.deepEqual(found, { url: "wss://eu.example.com/v1/rooms/a%2Fb%20%C3%BC?v=1%202", protocols: [], faults: [] });
});

test("what is missing or cannot be an address is said", () => {
  const faults = (parts) => target({ values: new Map(), ...parts }).faults;
  assert.deepEqual(faults({ server: "ws://{host}", address: "/{room}" }), [
    "host has to be filled in",
    "room has to be filled in",
  ]);
  assert.deepEqual(faults({ server: "https://a" }), ["the server's URL has to begin with ws:// or wss://"]);
  assert.deepEqual(faults({ server: "ws://a#b" }), ["the server's URL may have no #"]);
  assert.deepEqual(faults({ server: "ws://a b" }), ["the server's URL cannot be read"]);
});

test("a token goes where pages can put it", () => {
  const sent = (credential, subprotocols) =>
    target({ ...SERVER, credentials: [{ value: "tök~en", ...credential }], subprotocols });
  assert.deepEqual(sent({ id: "subprotocol" }, ["chat.v1"]).protocols, [
    "chat.v1",
    "sockspec",
    "sockspec.bearer.dMO2a35lbg",
  ]);
  assert.equal(sent({ id: "query", name: "access_token" }).url, "wss://eu.example.com/v1?access_token=t%C3%B6k~en");
  assert.equal(sent({ id: "header", value: "" }).url, "wss://eu.example.com/v1");
});

test("credentials are not shown", () => {
  const url = "wss://a/b?v=1&access_token=secret";
  assert.equal(discreet(url, [{ name: "access_token" }]), "wss://a/b?v=1&access_token=…");
  assert.equal(discreet("wss://a/b", []), "wss://a/b");
});

const PLACES = [
  [{ type: "http", scheme: "bearer" }, ["subprotocol", "query", "ticket"]],
  [{ type: "oauth2" }, ["subprotocol", "query", "ticket"]],
  [{ type: "apiKey", place: "query", parameter: "key" }, ["query"]],
  [{ type: "httpApiKey", place: "cookie", parameter: "sid" }, ["cookie", "ticket"]],
  [{ type: "httpApiKey", place: "header", parameter: "X-Key" }, ["ticket", "header"]],
  [{ type: "http", scheme: "basic" }, ["ticket", "header"]],
  [{ type: "X509" }, ["certificate"]],
];

test("each scheme has the places that a browser leaves it", () => {
  assert.deepEqual(
    PLACES.map(([scheme]) => placements(scheme).map((one) => one.id)),
    PLACES.map(([, ids]) => ids),
  );
});

test("a page that a server serves knows the server", () => {
  const servers = [{ url: "wss://chat.example.com/v1" }];
  const at = (protocol, host, pathname) => ownServer({ protocol, host, pathname }, servers);
  assert.equal(at("http:", "localhost:8765", "/docs"), "ws://localhost:8765/v1");
  assert.equal(at("https:", "a.example", "/mounted/docs/2"), "wss://a.example/mounted/v1");
  assert.equal(at("https:", "a.example", "/api/index.html"), undefined);
  assert.equal(at("file:", "", "/home/docs/"), undefined);
});

test("descriptions are shown as the words that they have", () => {
  assert.equal(plainly("The `id` of [a **request**](https://a.example)."), "The id of a request.");
});
