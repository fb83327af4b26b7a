/** What there is to be found on the page, read from the page itself. */
import { entry } from "./ranking.js";

const SECTIONS = {
  servers: "Server",
  authentication: "Authentication",
  endpoints: "Endpoint",
  messages: "Message",
  types: "Type",
};
const SPOKEN = "p, dd, dt, .use, .sent, li:not(.tree li, .use li, li li), tr:not([id]) > td";
const LONGEST = 4000;

/** Every section, article, property, problem, close code and heading of a description, in the order of the page. */
export function indexed(content) {
  const found = [];
  for (const section of content.querySelectorAll("section")) {
    const title = section.querySelector("h1, h2");
    if (!title) continue;
    const name = textOf(title);
    found.push(entry({ name, kind: "Section", target: title.id ? title : section, about: "" }));
    for (const lead of section.querySelectorAll(".lead")) described(found, lead, name);
    for (const article of section.querySelectorAll(".part")) articleOf(found, article, SECTIONS[title.id]);
    for (const row of section.querySelectorAll("tr[id]")) {
      const [what, meaning, ...others] = [...row.cells].map(textOf);
      const kind = title.id === "errors" ? "Problem" : "Close code";
      const where = textOf(row.closest(".part")?.querySelector("h3 a")) || name;
      const text = [meaning, ...others].join(" ");
      found.push(entry({ name: what, kind, where, text, about: meaning, target: row }));
    }
  }
  return found;
}

function articleOf(found, article, kind = "Section") {
  const name = textOf(article.querySelector("h3 a"));
  const about = textOf(article.querySelector(".summary") ?? article.querySelector("p:not([class])"));
  const plain = [...article.querySelectorAll(SPOKEN)].map(textOf).join(" ");
  found.push(entry({ name, kind, text: plain.slice(0, LONGEST), about, target: article }));
  for (const row of article.querySelectorAll(".tree > li")) fieldOf(found, row, name);
  for (const title of article.querySelectorAll("h4:not([class]), h5, h6")) {
    if (!title.closest(".code")) headingOf(found, title, name);
  }
}

function fieldOf(found, row, article) {
  const steps = [];
  for (let at = row.parentElement.closest(".tree > li"); at; at = at.parentElement.closest(".tree > li")) {
    steps.unshift(keyOf(at));
  }
  const about = textOf(row.querySelector(":scope > .about"));
  const type = textOf(row.querySelector(":scope > .head > .type"));
  const bounds = textOf(row.querySelector(":scope > .bounds"));
  const where = [article, ...steps].join(" › ");
  found.push(entry({ name: keyOf(row), kind: "Field", where, text: `${about} ${type} ${bounds}`, about, target: row }));
}

function described(found, lead, name) {
  found.push(entry({ name, kind: "Text", text: textOf(lead).slice(0, LONGEST), about: "", target: lead }));
  for (const title of lead.querySelectorAll("h2, h3, h4, h5, h6")) headingOf(found, title, name);
}

function headingOf(found, title, where) {
  const name = textOf(title);
  const isOurs = /^(Fields|One of|Example|Handshake|Authentication|Who speaks first|Scopes|Variables|Headers)\b/.test(name);
  if (!isOurs) found.push(entry({ name, kind: "Heading", where, about: "", target: title }));
}

function keyOf(row) {
  return textOf(row.querySelector(":scope > .head > .key"));
}

function textOf(element) {
  return element ? element.textContent.replace(/\s+/g, " ").trim() : "";
}
