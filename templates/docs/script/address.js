/** Where a connection goes, and how credentials travel from a page, which can set no headers. */

const BEARER = "sockspec.bearer.";

/**
 * The places in which a credential of a scheme can travel, the best first. Each has an `id`, a `label`, the `name` of the
 * query parameter where there is one, and whether it `takes` a text; those that take none say in `note` what to do.
 */
export function placements(scheme) {
  const { type, scheme: kind, parameter = "", place = "" } = scheme;
  const ticket = { id: "ticket", label: "one-time ticket in the query", name: "ticket", takes: true };
  if (type === "oauth2" || type === "openIdConnect" || (type === "http" && kind === "bearer")) {
    return [
      { id: "subprotocol", label: "token as a subprotocol", takes: true },
      { id: "query", label: "token in the query", name: "access_token", takes: true },
      ticket,
    ];
  }
  if (place === "query") return [{ id: "query", label: "key in the query", name: parameter, takes: true }];
  if (place === "cookie") {
    const note = `The browser sends the cookie ${parameter} by itself: sign in where the server is, in this browser.`;
    return [{ id: "cookie", label: "cookie", note }, ticket];
  }
  if (type === "mutualTLS" || type === "X509") {
    return [{ id: "certificate", label: "client certificate", note: "The browser asks which certificate to show." }];
  }
  const header = parameter || "Authorization";
  const note = `Pages cannot set the header ${header} of a WebSocket handshake. Try sockspec connect, or another way.`;
  return [ticket, { id: "header", label: `header ${header}`, note }];
}

/** The text of an address with its `{parameters}`; `missing` has the names of those that are empty. */
export function filled(template, values, encode) {
  const missing = [];
  const text = template.replace(/\{([^{}]*)\}/g, (whole, name) => {
    const value = values.get(name) ?? "";
    if (value === "") missing.push(name);
    return encode(value);
  });
  return { text, missing };
}

/**
 * The URL and the subprotocols of a handshake, and what is wrong with them.
 *
 * `server` is a URL with `{variables}`; `address` a path with `{parameters}`, `values` both by name. `query` has pairs;
 * `credentials` are `{id, name, value}`, as `placements` has them; `subprotocols` are those to offer.
 */
export function target({ server, address = "", values, query = [], credentials = [], subprotocols = [] }) {
  const base = filled(server.trim(), values, (value) => value);
  const path = filled(address, values, encodeURIComponent);
  const faults = [...base.missing, ...path.missing].map((name) => `${name} has to be filled in`);
  const given = credentials.filter((one) => one.value);
  const inQuery = given.filter((one) => one.name).map((one) => [one.name, one.value]);
  const pairs = [...query.filter(([, value]) => value !== ""), ...inQuery];
  const tail = pairs.map((pair) => pair.map(encodeURIComponent).join("=")).join("&");
  const url = base.text.replace(/\/$/, "") + path.text;
  const tokens = given.filter((one) => one.id === "subprotocol").map((one) => BEARER + base64url(one.value));
  const offered = tokens.length ? [...new Set([...subprotocols, "sockspec"]), ...tokens] : subprotocols;
  if (!faults.length) faults.push(...wrong(url));
  return { url: tail ? `${url}${url.includes("?") ? "&" : "?"}${tail}` : url, protocols: offered, faults };
}

function wrong(url) {
  if (!/^wss?:\/\//i.test(url)) return ["the server's URL has to begin with ws:// or wss://"];
  try {
    return new URL(url).hash ? ["the server's URL may have no #"] : [];
  } catch {
    return ["the server's URL cannot be read"];
  }
}

function base64url(text) {
  const bytes = new TextEncoder().encode(text);
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

/** The URL without the values of credentials, for eyes and logs. */
export function discreet(url, credentials) {
  const secret = new Set(credentials.map((one) => one.name).filter(Boolean));
  const [path, query] = url.split("?");
  if (query === undefined) return url;
  const pairs = query.split("&").map((pair) => {
    const [name] = pair.split("=");
    return secret.has(decodeURIComponent(name)) ? `${name}=…` : pair;
  });
  return `${path}?${pairs.join("&")}`;
}
