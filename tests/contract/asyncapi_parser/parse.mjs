// parse.mjs DOCUMENT MODULES: what AsyncAPI's own parser says of a document, as JSON.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const [document, modules] = process.argv.slice(2);
const { Parser } = createRequire(`${modules}/`)("@asyncapi/parser");
const parsed = await new Parser().parse(readFileSync(document, "utf8"));
const said = { valid: parsed.document !== undefined, diagnostics: parsed.diagnostics };
process.stdout.write(JSON.stringify(said));
