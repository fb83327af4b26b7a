/** Where to connect: the controls for server, parameters and credentials, and what they come to. */

import { discreet, filled, placements, target } from "./address.js";
import { choice, labelled, make } from "./dom.js";

/** The URL of the server that this page comes from, where it is served as its documentation; else nothing. */
export function ownServer(location, servers) {
  const found = /^(.*)\/docs(?:\/\d+)?\/?$/.exec(location.pathname);
  if (!/^https?:$/.test(location.protocol) || found === null) return undefined;
  const path = /^wss?:\/\/[^/]*(.*)$/.exec(servers[0]?.url ?? "")?.[1] ?? "";
  return `${location.protocol.replace("http", "ws")}//${location.host}${found[1]}${path}`;
}

/** The controls of `#console-target`. It tells `chosen(channel)` which channel is chosen. */
export class Connecting {
  channel;
  #api;
  #chosen;
  #parts;
  #url;
  #values = new Map();
  #credentials = new Map();

  constructor(api, parts, chosen) {
    this.#api = api;
    this.#parts = parts;
    this.#chosen = chosen;
    this.#url = make("input", { spellcheck: "false", autocomplete: "off", input: () => this.#refresh() });
    this.choose(api.channels[0]);
  }

  /** The URL and the subprotocols, `shown` without secrets, and what is missing. */
  get target() {
    const { channel } = this;
    const credentials = [...this.#credentials.values()];
    const found = target({
      server: this.#url.value,
      address: channel.address ?? "",
      values: this.#values,
      query: (channel.query ?? []).map(({ name }) => [name, this.#values.get(`?${name}`) ?? ""]),
      credentials,
      subprotocols: channel.subprotocols ?? [],
    });
    const lacking = (channel.query ?? []).filter((one) => one.required && !this.#values.get(`?${one.name}`));
    found.faults.push(...lacking.map(({ name }) => `${name} has to be filled in`));
    return { ...found, shown: discreet(found.url, credentials) };
  }

  /** Offers what a channel takes to connect to it. */
  choose(channel) {
    this.channel = channel;
    const servers = this.#servers();
    const names = this.#api.channels.map((one, place) => [String(place), one.title ?? one.name]);
    const pick = (event) => this.choose(this.#api.channels[Number(event.target.value)]);
    const which = choice(names, String(this.#api.channels.indexOf(channel)), { change: pick });
    const where = choice(
      servers.map((one, place) => [String(place), one.title ?? one.name]),
      "0",
      { change: (event) => this.#serve(servers[Number(event.target.value)]) },
    );
    this.#parts.where.replaceChildren(
      ...(names.length > 1 ? [labelled("Endpoint", which)] : []),
      ...(servers.length > 1 ? [labelled("Server", where)] : []),
      labelled("Server URL", this.#url, { required: true }),
    );
    this.#serve(servers[0] ?? { url: "" });
    this.#chosen(channel);
  }

  #servers() {
    const { servers } = this.#api;
    const { servers: names = [] } = this.channel;
    const own = ownServer(window.location, servers);
    const listed = servers.filter((one) => !names.length || names.includes(one.name));
    const ours = { ...listed[0], name: "this server", title: "This server", url: own };
    return own === undefined ? listed : [ours, ...listed];
  }

  #serve(server) {
    this.#url.value = server.url;
    const { missing } = filled(`${server.url}${this.channel.address ?? ""}`, new Map(), (value) => value);
    const known = [...(server.variables ?? []), ...(this.channel.parameters ?? [])];
    const places = [...new Set(missing)].map(
      (name) => known.find((one) => one.name === name) ?? { name, required: true },
    );
    const query = (this.channel.query ?? []).map((one) => ({ ...one, key: `?${one.name}` }));
    this.#parts.values.replaceChildren(...[...places, ...query].map((one) => this.#parameter(one)));
    const headers = (this.channel.headers ?? []).map((name) =>
      make("p", { class: "quiet" }, `The server wants the header ${name}, which pages cannot set.`),
    );
    this.#parts.credentials.replaceChildren(...this.#schemes(server).map((name) => this.#credential(name)), ...headers);
    this.#refresh();
  }

  #parameter({ name, key = name, values, required, default: usual, examples = [], description }) {
    const value = this.#values.get(key) ?? usual ?? (key === name ? (values?.[0] ?? examples[0] ?? "") : "");
    this.#values.set(key, value);
    const set = (event) => {
      this.#values.set(key, event.target.value);
      this.#refresh();
    };
    const options = (values ?? []).map((one) => [one, one]);
    const control = values
      ? choice(required ? options : [["", "—"], ...options], value, { change: set })
      : make("input", { value, input: set, autocomplete: "off", spellcheck: "false" });
    return labelled(name, control, { required, description });
  }

  /** The schemes that the server or the endpoint asks for, in any of the ways that it offers. */
  #schemes(server) {
    this.#credentials = new Map();
    const asked = [...(server.security ?? []), ...(this.channel.security ?? [])].flat();
    return [...new Set(asked)].filter((name) => Object.hasOwn(this.#api.schemes, name));
  }

  #credential(name) {
    const places = placements(this.#api.schemes[name]);
    const secret = make("input", { type: "password", autocomplete: "off", input: () => this.#refresh() });
    const parameter = make("input", { autocomplete: "off", spellcheck: "false", input: () => this.#refresh() });
    const note = make("small", { class: "quiet" });
    const which = choice(
      places.map(({ id, label }) => [id, label]),
      places[0].id,
      { change: () => put() },
    );
    const controls = [labelled(name, secret), labelled("sent as", which), labelled("query parameter", parameter)];
    const put = () => {
      const place = places.find((one) => one.id === which.value);
      parameter.value = place.name ?? "";
      controls[0].hidden = !place.takes;
      controls[2].hidden = !place.name;
      note.textContent = place.note ?? "";
      this.#refresh();
    };
    const current = () => places.find((one) => one.id === which.value);
    const credential = {
      get id() {
        return which.value;
      },
      get name() {
        return current().name && parameter.value;
      },
      get value() {
        return current().takes ? secret.value : "";
      },
    };
    this.#credentials.set(name, credential);
    put();
    return make("div", { class: "credential" }, controls, note);
  }

  #refresh() {
    const { shown, protocols } = this.target;
    const offered = protocols.map((one) => (one.startsWith("sockspec.bearer.") ? "sockspec.bearer.…" : one));
    this.#parts.url.textContent = [shown, ...(offered.length ? [`subprotocols ${offered.join(", ")}`] : [])].join(
      " · ",
    );
    this.#parts.fault.textContent = "";
  }
}
