/**
 * Builds everything browsers load into one folder (first argument), names stable.
 *
 * Each application gets its own folder that needs nothing outside it, because its service
 * worker must be able to keep the whole of it. Names carry no hash: pages name files
 * through Django's static storage, and the service workers compare contents.
 */
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(here, "../src/lianfang/config/static/dist"));

const names = {
  entryFileNames: "[name].js",
  chunkFileNames: "chunks/[name].js",
  assetFileNames: "[name][extname]",
};

/** @param {import("vite").InlineConfig} config */
async function bundle(config) {
  await build({
    configFile: false,
    logLevel: "warn",
    base: "./",
    publicDir: false,
    // A worker of one file: phones of 2020 know no modules in workers.
    worker: { format: "iife", rolldownOptions: { output: names } },
    ...config,
    build: {
      target: ["chrome87", "firefox90", "safari14"],
      emptyOutDir: false,
      modulePreload: false,
      chunkSizeWarningLimit: 1200,
      reportCompressedSize: false,
      assetsInlineLimit: 0,
      cssMinify: "lightningcss",
      ...config.build,
    },
  });
}

function step(text) {
  process.stdout.write(`  ${text}\n`);
}

/** Every file below a folder, as paths with forward slashes, in one order everywhere. */
function filesBelow(folder) {
  const found = [];
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) found.push(...filesBelow(path));
    else found.push(path);
  }
  return found;
}

/** An application: its page, its scripts, and a service worker that knows the hash of each file. */
async function application(name) {
  const folder = join(out, name);
  await bundle({
    root: join(here, name),
    build: { outDir: folder, rolldownOptions: { output: names } },
  });
  const still = join(here, name, "public");
  if (existsSync(still)) {
    for (const path of filesBelow(still)) {
      const target = join(folder, relative(still, path));
      mkdirSync(dirname(target), { recursive: true });
      copyFileSync(path, target);
    }
  }
  const manifest = filesBelow(folder).map((path) => ({
    url: relative(folder, path).split(sep).join("/"),
    hash: createHash("sha256").update(readFileSync(path)).digest("base64url").slice(0, 16),
  }));
  const version = createHash("sha256").update(JSON.stringify(manifest)).digest("hex").slice(0, 12);
  await bundle({
    root: here,
    define: { __FILES__: JSON.stringify(manifest), __VERSION__: JSON.stringify(version), __APP__: JSON.stringify(name) },
    build: {
      outDir: folder,
      lib: { entry: join(here, "src/offline/worker.ts"), formats: ["iife"], name: "worker", fileName: () => "worker.js" },
    },
  });
  writeFileSync(join(folder, "version.json"), JSON.stringify({ version, files: manifest.length }) + "\n");
}

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

step("styles and islands");
await bundle({
  root: here,
  build: {
    outDir: out,
    rolldownOptions: {
      input: {
        phone: join(here, "styles/phone.css"),
        print: join(here, "styles/print.css"),
        islands: join(here, "islands/index.ts"),
      },
      output: names,
    },
  },
});
await bundle({
  root: here,
  build: {
    outDir: out,
    // Written down to old phones Tabler grows by half; the desk has a browser of the last years.
    cssTarget: ["chrome111", "firefox113", "safari16.4"],
    rolldownOptions: { input: { desk: join(here, "styles/desk.css") }, output: names },
  },
});
copyFileSync(join(here, "node_modules/htmx.org/dist/htmx.min.js"), join(out, "htmx.js"));

for (const name of ["gate", "pass", "verifier"]) {
  if (!existsSync(join(here, name, "index.html"))) continue;
  step(`application: ${name}`);
  await application(name);
}
