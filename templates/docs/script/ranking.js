/** What fits the words of a query, the best first. */

const KINDS = { Endpoint: 14, Message: 12, Type: 8, Section: 8, Problem: 6, "Close code": 6, Server: 6, Authentication: 6, Heading: 4 };
const MOST = 40;

/** A text in which words are found whatever their case and accents, and in spite of `camelCase` and `snake_case`. */
export function folded(text) {
  return text
    .replace(/([\p{Ll}\d])(?=\p{Lu})/gu, "$1 ")
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .toLowerCase()
    .replace(/[\s_./-]+/g, " ")
    .trim();
}

/** An entry that can be ranked: `name` is what it is called, `where` what it is in, `text` what is said of it. */
export function entry(fields) {
  const { name, where = "", text = "" } = fields;
  const plain = name.toLowerCase();
  return { ...fields, plain, names: ` ${folded(name)}`, places: ` ${folded(where)}`, words: ` ${folded(text)}` };
}

/** The entries in which every word of the query is found; by how well, then in the order of the page. */
export function ranked(entries, query, most = MOST) {
  const whole = query.trim().toLowerCase();
  const terms = folded(query).split(" ").filter(Boolean);
  if (!terms.length) return [];
  const found = [];
  entries.forEach((one, at) => {
    const score = scored(one, terms, whole);
    if (score > 0) found.push({ one, at, score });
  });
  found.sort((a, b) => b.score - a.score || a.at - b.at);
  return found.slice(0, most).map(({ one }) => one);
}

function scored(one, terms, whole) {
  let score = 0;
  for (const term of terms) {
    const points = pointsOf(one, term);
    if (!points) return 0;
    score += points;
  }
  if (one.plain === whole || one.names === ` ${terms.join(" ")}`) score += 100;
  else if (one.plain.startsWith(whole)) score += 30;
  const isNamed = terms.some((term) => one.names.includes(term));
  return score / terms.length + (isNamed ? (KINDS[one.kind] ?? 0) : 0);
}

function pointsOf(one, term) {
  if (one.names.includes(` ${term}`)) return 40 - Math.min(20, (one.names.length - term.length) / 4);
  if (one.names.includes(term) || one.plain.includes(term)) return 18;
  if (one.places.includes(` ${term}`)) return 8;
  if (one.words.includes(` ${term}`)) return 6;
  return one.words.includes(term) || one.places.includes(term) ? 2 : 0;
}

/** The parts of a text, each with whether it is what was looked for. */
export function highlighted(text, query) {
  const terms = query.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const lower = text.toLowerCase();
  const parts = [];
  let from = 0;
  while (from < text.length && lower.length === text.length) {
    const next = terms
      .map((term) => [lower.indexOf(term, from), term.length])
      .filter(([at]) => at >= 0)
      .sort((a, b) => a[0] - b[0] || b[1] - a[1])[0];
    if (!next) break;
    if (next[0] > from) parts.push([text.slice(from, next[0]), false]);
    from = next[0] + next[1];
    parts.push([text.slice(next[0], from), true]);
  }
  if (from < text.length) parts.push([text.slice(from), false]);
  return parts;
}
