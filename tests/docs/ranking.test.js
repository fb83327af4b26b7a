/** The search: what is found, and in which order. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { entry, folded, highlighted, ranked } from "../../templates/docs/script/ranking.js";

const ENTRIES = [
  { name: "Overview", kind: "Section", text: "A chat: send message after message." },
  { name: "SendMessage", kind: "Message", text: "Says something." },
  { name: "message", kind: "Field", where: "Error › error", text: "What went wrong." },
  { name: "ChatMessage", kind: "Type", text: "" },
  { name: "messages", kind: "Field", where: "History › data", text: "The messages, oldest first." },
  { name: "order_book.levels", kind: "Field", where: "Book", text: "" },
  { name: "Café", kind: "Message", text: "" },
  { name: "/problems/slow-consumer", kind: "Problem", where: "Errors", text: "Read more slowly." },
].map(entry);

function names(query) {
  return ranked(ENTRIES, query).map((one) => one.name);
}

test("a name that is the query comes before names that begin with it, and these before what only mentions it", () => {
  assert.deepEqual(names("message"), ["message", "messages", "SendMessage", "ChatMessage", "Overview"]);
});

test("every word has to be found, whatever the case, the accents and the way that names are joined", () => {
  assert.deepEqual(names("send message").slice(0, 1), ["SendMessage"]);
  assert.deepEqual(names("SENDMESSAGE").slice(0, 1), ["SendMessage"]);
  assert.deepEqual(names("levels order"), ["order_book.levels"]);
  assert.deepEqual(names("cafe"), ["Café"]);
  assert.deepEqual(names("slow consumer"), ["/problems/slow-consumer"]);
  assert.deepEqual(names("send nothing"), []);
});

test("a word of where something is narrows the search", () => {
  assert.equal(names("error message")[0], "message");
  assert.equal(names("history mess")[0], "messages");
});

test("nothing is found of nothing", () => {
  assert.deepEqual([names(""), names("  "), names("---")], [[], [], []]);
});

test("of five thousand entries only the best are listed", () => {
  const many = Array.from({ length: 5000 }, (_, at) => entry({ name: `message${at}`, kind: "Message" }));
  assert.equal(ranked(many, "message").length, 40);
  assert.equal(ranked(many, "message4321")[0].name, "message4321");
});

test("words are folded", () => {
  assert.equal(folded("sendMessage_now.Ärger"), "send message now arger");
});

test("what was looked for is told from the rest of a text", () => {
  assert.deepEqual(highlighted("SendMessage", "mess se"), [
    ["Se", true],
    ["nd", false],
    ["Mess", true],
    ["age", false],
  ]);
  assert.deepEqual(highlighted("plain", "x"), [["plain", false]]);
  assert.deepEqual(highlighted("", "x"), []);
});
