// Makes a page of each document that standard input names: lines of "document<TAB>folder". Prints a line of JSON for each.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const modules = process.argv[2];
const require = createRequire(path.join(modules, "any.js"));
const Generator = require("@asyncapi/generator");
const template = path.join(modules, "@asyncapi", "html-template");

for (const line of readFileSync(0, "utf8").split("\n").filter(Boolean)) {
  const [document, folder] = line.split("\t");
  const start = performance.now();
  let error = "";
  try {
    const settings = { forceWrite: true, compile: false, templateParams: { singleFile: true } };
    await new Generator(template, folder, settings).generateFromFile(document);
  } catch (thrown) {
    error = String(thrown.message ?? thrown).split("\n")[0];
  }
  process.stdout.write(JSON.stringify({ seconds: (performance.now() - start) / 1000, error }) + "\n");
}
process.exit(0);
