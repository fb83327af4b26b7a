// Runs the client of docs/resume-client.js: node resuming.mjs CLIENT SUBPROTOCOL URL…, one URL for each connection, the last one for
// all others. Prints each thing that happens as a line of JSON, and sends what it reads, line by line.

import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [client, subprotocol, ...urls] = process.argv.slice(2);
const { ResumingSocket } = await import(pathToFileURL(client));

const say = (what, value) => console.log(JSON.stringify([what, value]));
const socket = new ResumingSocket(() => (urls.length > 1 ? urls.shift() : urls[0]), {
  protocols: [subprotocol],
  base: 10,
  cap: 50,
  onopen: () => say("open", socket.resumed),
  onmessage: (data) => say("message", JSON.parse(data)),
  onrecovery: (recovery) => say("recovery", recovery),
  onclose: (code) => {
    say("closed", code);
    process.exit(0);
  },
});

createInterface({ input: process.stdin })
  .on("line", (line) => (line === "close" ? socket.close() : socket.send(line)))
  .on("close", () => socket.close());
