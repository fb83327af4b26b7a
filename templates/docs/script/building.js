/** The URL of a connection, from a server's URL and a path with `{blanks}`, and from what is filled in. */

/** The URL. What is empty stays in braces, so that it is seen; `query` has pairs, of which the empty ones are left out. */
export function built(server, path, values, query) {
  const base = inserted(server, values, (value) => value).replace(/\/+$/, "");
  const tail = query.filter(([, value]) => value !== "").map((pair) => pair.map(encodeURIComponent).join("="));
  const url = base + inserted(path, values, encodeURIComponent);
  return tail.length ? `${url}${url.includes("?") ? "&" : "?"}${tail.join("&")}` : url;
}

function inserted(template, values, encode) {
  return template.replace(/\{([^{}]*)\}/g, (whole, name) => {
    const value = values.get(name) ?? "";
    return value === "" ? whole : encode(value);
  });
}
