// Judges what `test_agreement.py` hands over, and tells every case on which the page is of another mind.

import { readFileSync } from "node:fs";

import { parsed } from "../../templates/docs/script/numbers.js";
import { recognized } from "../../templates/docs/script/payloads.js";
import { Session } from "../../templates/docs/script/session.js";
import { validator } from "../../templates/docs/script/validator.js";

/** The value of a text; undefined where it is none that is read. */
function read(text) {
  try {
    return parsed(text);
  } catch {
    return undefined;
  }
}

function verdicts({ document, costly, cases }) {
  const judge = validator(parsed(document), costly);
  return cases.filter(([pointer, text, isValid]) => {
    const value = read(text);
    return (value !== undefined && judge.faults(pointer, value).length === 0) !== isValid;
  });
}

function choices({ api: text, channel, side, cases }) {
  const api = parsed(text);
  const judge = validator(api.schemas, api.costly);
  const dispatch = api.channels[channel][side];
  return cases.flatMap(([payload, expected]) => {
    const { message, faults } = recognized(api, judge, dispatch, parsed(payload));
    const found = faults.length ? "" : message;
    return found === expected ? [] : [[payload, expected, found, faults]];
  });
}

/** What is wrong with the drafts of messages beside that there is nothing to fill in. */
function drafts({ api: text }) {
  const api = parsed(text);
  const session = new Session(api, { state() {}, entry() {} });
  return api.channels.flatMap((channel) => {
    session.channel = channel;
    return (channel.sends?.choices ?? []).flatMap(({ message }) => {
      const faults = session.faults(message, session.draft(message));
      return faults.map((fault) => [message, fault.pointer, fault.keyword, fault.message]);
    });
  });
}

const WAYS = { verdicts, choices, drafts };
const jobs = JSON.parse(readFileSync(process.argv[2], "utf8"));
console.log(JSON.stringify(jobs.map((job) => WAYS[job.way](job))));
