// Builds the page: node build.mjs SOURCES MODULES OUT. One script and one style, named by their content.
import { createRequire } from "node:module";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { basename, join } from "node:path";

const [sources, modules, out] = process.argv.slice(2);
const { build } = createRequire(join(modules, "package.json"))("esbuild");

const result = await build({
  entryPoints: { page: join(sources, "src/main.tsx"), style: join(sources, "src/style/page.css") },
  outdir: out,
  entryNames: "[name]-[hash]",
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  nodePaths: [join(modules, "node_modules")],
  legalComments: "linked",
  metafile: true,
  logLevel: "warning",
});
const files = Object.keys(result.metafile.outputs).map((path) => basename(path));
const named = (start, end) => files.find((name) => name.startsWith(start) && name.endsWith(end));

mkdirSync(out, { recursive: true });
const icon = readFileSync(join(sources, "src/icon.svg"));
const iconName = `icon-${createHash("sha256").update(icon).digest("hex").slice(0, 8).toUpperCase()}.svg`;
copyFileSync(join(sources, "src/icon.svg"), join(out, iconName));
const page = readFileSync(join(sources, "src/index.html"), "utf8")
  .replace("{script}", `/page/${named("page-", ".js")}`)
  .replace("{style}", `/page/${named("style-", ".css")}`)
  .replace("{icon}", `/page/${iconName}`);
writeFileSync(join(out, "index.html"), page);
writeFileSync(
  join(out, "assets.json"),
  JSON.stringify({ files: [...files, iconName], styles: [plotStyle()] }),
);

// Each chart brings a style element, always the same: a policy that allows it by its digest allows nothing else.
function plotStyle() {
  const source = readFileSync(join(modules, "node_modules/@observablehq/plot/src/plot.js"), "utf8");
  const found = /append\("style"\)\.text\(\s*`([^`]*)`/.exec(source);
  if (!found)
    throw new Error("the style of a chart is not where it was: look at the new release of Plot");
  const text = found[1].replaceAll("${className}", "plotted");
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}
