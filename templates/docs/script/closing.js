/** What close codes mean, and whether a client comes back after them. */

const CODES = {
  1000: "closed normally",
  1001: "the server, or this page, goes away",
  1002: "the other side saw a breach of the protocol",
  1003: "the other side does not take this kind of data",
  1005: "closed without a code",
  1006: "broken off, without a closing handshake",
  1007: "a text was not UTF-8",
  1008: "against the rules of the other side",
  1009: "a message was too large",
  1010: "an extension was missing",
  1011: "something failed on the server",
  1012: "the server restarts",
  1013: "try again later",
  1014: "a gateway got no valid answer",
  1015: "no TLS handshake",
  3000: "unauthorized",
  3003: "forbidden",
  3008: "timeout",
};
const AGAIN = [1001, 1005, 1006, 1012, 1013, 1014, 3008];

/** What a close code means here: by the document, by the problems that connections are closed for, and by the standard. */
export function explained(api, channel, code, reason) {
  const own = channel.closeCodes?.[code];
  const problems = Object.values(api.problems).filter((one) => one.close === code);
  const meanings = own ? [own] : problems.length === 1 ? [problems[0].meaning] : [CODES[code] ?? ""];
  return [`${code}`, ...meanings, reason].filter(Boolean).join(" · ");
}

/** Whether a client connects again after a close code; `problem` is the type of what it was told just before. */
export function comesBack(api, code, problem) {
  const told = Object.hasOwn(api.problems, problem ?? "") ? api.problems[problem] : undefined;
  if (told?.close !== undefined && (told.close === code || (code >= 4000 && code <= 4999))) return Boolean(told.again);
  return AGAIN.includes(code);
}
