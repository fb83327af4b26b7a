// Makes a page of each document that standard input names: lines of "document<TAB>folder". Prints a line of JSON for each.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const modules = process.argv[2];
const require = createRequire(path.join(modules, "any.js"));
const Generator = require("@asyncapi/generator");
const template = path.join(modules, "@asyncapi", "html-template");

async function make(document, folder, compile) {
  const settings = { forceWrite: true, compile, templateParams: { singleFile: true } };
  await new Generator(template, folder, settings).generateFromFile(document);
}

const lines = readFileSync(0, "utf8").split("\n").filter(Boolean);
// What comes from npm is compiled for the machine that published it. Compiling it anew takes long, so it is done once before.
for (const line of lines) {
  try {
    await make(...line.split("\t"), true);
    break;
  } catch {
    // The next document may be one that it takes.
  }
}
for (const line of lines) {
  const start = performance.now();
  let error = "";
  try {
    await make(...line.split("\t"), false);
  } catch (thrown) {
    error = String(thrown.message ?? thrown).split("\n")[0];
  }
  process.stdout.write(JSON.stringify({ seconds: (performance.now() - start) / 1000, error }) + "\n");
}
process.exit(0);
