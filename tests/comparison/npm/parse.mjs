// Prints what @asyncapi/parser says of each document: a JSON text on each line.
import { Parser, fromFile } from '@asyncapi/parser';

for (const file of process.argv.slice(2)) {
  const { diagnostics } = await fromFile(new Parser(), file).parse();
  console.log(JSON.stringify(diagnostics));
}
