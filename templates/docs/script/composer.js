/** Writing a message: by a form, as JSON, or from an example; what is invalid is not sent unless that is asked for. */

import { make } from "./dom.js";
import { Form } from "./form.js";
import { parsed, written } from "./numbers.js";
import { schemaAt } from "./validator.js";

/** The controls below "Send". */
export class Composer {
  #api;
  #session;
  #parts;
  #form;
  #value;
  #readable = true;
  #isJson = false;
  #tried = false;

  constructor(api, session, parts) {
    this.#api = api;
    this.#session = session;
    this.#parts = parts;
    this.#form = new Form(api.schemas, session.judge, (value) => this.#edited(value));
    parts.form.append(this.#form.element);
    parts.message.addEventListener("change", () => this.#choose());
    parts.example.addEventListener("change", () => this.#fill());
    parts.asForm.addEventListener("click", () => this.#switch(false));
    parts.asJson.addEventListener("click", () => this.#switch(true));
    parts.text.addEventListener("input", () => this.#typed());
    parts.send.addEventListener("click", () => this.#send(false));
    parts.sendAnyway.addEventListener("click", () => this.#send(true));
    for (const part of [parts.form, parts.text]) {
      part.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.#send(false);
      });
    }
  }

  /** Offers the messages of a channel. */
  offer(channel) {
    const names = (channel.sends?.choices ?? [])
      .map((one) => one.message)
      .filter((name) => name !== channel.heartbeat?.ping);
    const options = names.map((name) => make("option", { value: name }, name));
    this.#parts.message.replaceChildren(...options);
    this.#parts.panel.hidden = !names.length;
    if (names.length) this.#choose();
  }

  /** Begins with a message, where the channel takes it. */
  begin(name) {
    this.#parts.message.value = name;
    if (this.#parts.message.value === name) this.#choose();
  }

  /** Whether there is a connection to send on. */
  set isOpen(isOpen) {
    this.#parts.send.disabled = !isOpen;
    this.#parts.send.title = isOpen ? "" : "connect first";
    this.#parts.sendAnyway.disabled = !isOpen;
  }

  get #name() {
    return this.#parts.message.value;
  }

  get #message() {
    return this.#api.messages[this.#name];
  }

  #choose() {
    const { examples = [], summary = "", content } = this.#message;
    const names = examples.map(({ name, summary: about }, place) => about ?? name ?? `example ${place + 1}`);
    const options = ["what is required", ...names.map((name) => `example: ${name}`)];
    this.#parts.example.replaceChildren(
      ...options.map((text, place) => make("option", { value: String(place) }, text)),
    );
    this.#parts.summary.textContent = content === "binary" ? `${summary} Bytes, written as base64.` : summary;
    this.#parts.asForm.disabled = Boolean(content);
    this.#fill();
  }

  #fill() {
    const place = Number(this.#parts.example.value);
    const example = this.#message.examples?.[place - 1];
    const value =
      example === undefined ? this.#session.draft(this.#name) : this.#session.renewed(this.#name, example.payload);
    this.#tried = false;
    this.#readable = true;
    this.#parts.sent.textContent = "";
    this.#value = value;
    this.#switch(this.#message.content ? true : this.#isJson);
  }

  #switch(isJson) {
    this.#isJson = isJson;
    this.#parts.asForm.setAttribute("aria-pressed", String(!isJson));
    this.#parts.asJson.setAttribute("aria-pressed", String(isJson));
    this.#parts.form.hidden = isJson;
    this.#parts.json.hidden = !isJson;
    if (isJson && this.#readable)
      this.#parts.text.value = this.#message.content ? this.#value : written(this.#value, 2);
    const { schema } = this.#message;
    if (!isJson) {
      this.#readable = true;
      this.#form.show(schema ? schemaAt(this.#api.schemas, schema) : true, this.#value);
    }
    this.#judged();
  }

  #edited(value) {
    this.#value = value;
    this.#judged();
  }

  #typed() {
    const { value: text } = this.#parts.text;
    try {
      this.#value = this.#message.content ? text : parsed(text);
      this.#readable = true;
      this.#judged();
    } catch (error) {
      this.#readable = false;
      this.#told([`is not JSON: ${error.message}`]);
    }
  }

  /** Shows what is wrong once sending has been tried, as long as it is wrong. */
  #judged() {
    const faults = this.#readable
      ? this.#session.faults(this.#name, this.#value)
      : [{ pointer: "", message: "is not JSON" }];
    const elsewhere = this.#isJson ? faults : this.#form.mark(this.#tried ? faults : []);
    this.#told(
      this.#tried || this.#isJson ? elsewhere.map(({ pointer, message }) => `${pointer} ${message}`.trim()) : [],
    );
    if (!faults.length || !this.#tried) this.#parts.sendAnyway.hidden = true;
    return faults;
  }

  #told(lines) {
    this.#parts.faults.replaceChildren(...lines.map((line) => make("li", {}, line)));
    this.#parts.text.setAttribute("aria-invalid", String(lines.length > 0));
  }

  #send(anyway) {
    this.#tried = true;
    const faults = this.#judged();
    if (faults.length && !anyway) {
      this.#parts.sendAnyway.hidden = false;
      this.#parts.sent.textContent = `not sent: ${faults.length === 1 ? "one thing is" : `${faults.length} things are`} wrong`;
      this.#parts.form.querySelector("[aria-invalid=true]")?.focus();
      return;
    }
    const isSent = this.#readable
      ? this.#session.send(this.#name, this.#value)
      : this.#session.sendText(this.#parts.text.value);
    this.#parts.sendAnyway.hidden = true;
    this.#parts.sent.textContent = isSent ? `sent ${this.#name}` : "not sent: there is no connection";
    if (isSent && this.#readable && !this.#message.content) this.#refreshed();
  }

  /** After sending: a new id and the time for the next one, where the values stay. */
  #refreshed() {
    this.#tried = false;
    this.#value = this.#session.again(this.#name, this.#value);
    this.#switch(this.#isJson);
  }
}
