/** What close codes mean, and whether a client comes back after them. */

/** What a close code means here: by the document, or else everywhere; and the reason that was given. */
export function explained(api, channel, code, reason) {
  const meaning = channel.closeCodes?.[code] ?? api.closings[code]?.meaning;
  return [String(code), meaning, reason].filter(Boolean).join(" · ");
}

/** Whether a client connects again after a close code; `problem` is the type of what it was told just before. */
export function comesBack(api, code, problem) {
  const told = Object.hasOwn(api.problems, problem ?? "") ? api.problems[problem] : undefined;
  const isAbout = told?.close !== undefined && (told.close === code || (code >= 4000 && code <= 4999));
  return Boolean(isAbout ? told.again : api.closings[code]?.again);
}
