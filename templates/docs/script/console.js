/** The console of the page: a client in the browser for the API that the page describes. */

import { Composer } from "./composer.js";
import { Connecting } from "./connecting.js";
import { LogView } from "./logview.js";
import { EXACT, parsed } from "./numbers.js";
import { Session } from "./session.js";

const STATES = {
  closed: "not connected",
  connecting: "connecting …",
  open: "connected",
  closing: "closing …",
};

function part(name) {
  return document.getElementById(`console-${name}`);
}

function openConsole(body) {
  const api = parsed(document.getElementById("api").textContent);
  if (!api.channels.length) return;
  const parts = {};
  const session = new Session(api, {
    state: (state, seconds) => shown(state, seconds),
    entry: (entry) => parts.log.add(entry),
  });
  parts.log = new LogView(api, session, {
    log: part("log"),
    message: part("log-message"),
    direction: part("log-direction"),
    text: part("log-text"),
    faults: part("log-faults"),
    beats: part("log-beats"),
    beatsLabel: part("log-beats-label"),
    pause: part("pause"),
    clear: part("clear"),
    save: part("export"),
    count: part("count"),
  });
  const composer = new Composer(api, session, {
    panel: part("compose-title").parentElement,
    message: part("message"),
    example: part("example"),
    asForm: part("as-form"),
    asJson: part("as-json"),
    summary: part("summary"),
    form: part("form"),
    json: part("json"),
    text: part("text"),
    faults: part("faults"),
    send: part("send"),
    sendAnyway: part("send-anyway"),
    sent: part("sent"),
  });
  const where = { where: part("where"), values: part("values"), credentials: part("credentials"), url: part("url") };
  const connecting = new Connecting(api, { ...where, fault: part("target-fault") }, (channel) => {
    session.socket.close();
    session.channel = channel;
    composer.offer(channel);
    parts.log.offer(channel);
  });
  part("target").addEventListener("submit", (event) => {
    event.preventDefault();
    const { faults, shown: url, ...target } = connecting.target;
    part("target-fault").textContent = faults.join("; ");
    if (!faults.length) session.connect(connecting.channel, target, url);
  });
  part("disconnect").addEventListener("click", () => session.socket.close());
  const shown = (state, seconds) => {
    const output = part("state");
    output.dataset.state = state;
    output.textContent = STATES[state] ?? `the connection is lost; connects again in ${seconds.toFixed(1)} s`;
    composer.isOpen = state === "open";
    part("connect").textContent = state === "waiting" ? "Connect now" : state === "open" ? "Connect anew" : "Connect";
    part("disconnect").disabled = state === "closed" || state === "closing";
  };
  document.addEventListener("click", (event) => {
    const { try: anchor } = event.target.closest("[data-try]")?.dataset ?? {};
    if (anchor === undefined) return;
    const name = Object.keys(api.messages).find((one) => api.messages[one].anchor === anchor);
    const takes = (channel) => channel.anchor === anchor || channel.sends?.choices.some((one) => one.message === name);
    const channel = takes(connecting.channel) ? connecting.channel : api.channels.find(takes);
    if (channel !== undefined && channel !== connecting.channel) connecting.choose(channel);
    if (name !== undefined) composer.begin(name);
  });
  if (!EXACT) body.firstElementChild.append(" This browser rounds integers beyond 9007199254740991.");
  body.hidden = false;
}

const consoleBody = document.getElementById("console-body");
if (consoleBody !== null) openConsole(consoleBody);
