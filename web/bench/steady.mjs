/**
 * Verdicts for each second of CPU of the gate's own code, built as the gate is built, while the same process asks the server
 * ten times a second: does a gate decide as fast with the server stopped, or in a rush, as with it answering?
 *
 * Run by the wheel's node. Says `{"ready": true}`; then takes lines `{seconds, url, authorization}` and answers each with
 * `{bare, paper, phone, answered, failed}`. `bare` is the bare verification of the same signature, in turn with the others: what
 * else the machine does makes all of them slower alike.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "vite";

const here = dirname(fileURLToPath(import.meta.url));
const out = mkdtempSync(join(tmpdir(), "lianfang-bench-"));
const vector = (name) => JSON.parse(readFileSync(join(here, "../../vectors/pass", name), "utf8"));
const bytes = (hex) => new Uint8Array(Buffer.from(hex, "hex"));

await build({
  configFile: false,
  logLevel: "error",
  root: join(here, ".."),
  publicDir: false,
  build: {
    outDir: out,
    target: ["chrome87", "firefox90", "safari14"],
    lib: { entry: join(here, "entry.ts"), formats: ["es"], fileName: () => "gate.mjs" },
  },
});
const gate = await import(pathToFileURL(join(out, "gate.mjs")).href);
rmSync(out, { recursive: true, force: true });

const scan = vector("scan.json");
const root = gate.PublicKey.fromPoint(bytes(scan.keys.root));
const keys = await gate.acceptKeyList(bytes(scan.keys.list), root, bytes(scan.keys.root_thumbprint), null);
const shard = await gate.acceptList(bytes(scan.list), bytes(scan.until), scan.uri, keys, null);
const held = { keys, shards: new Map([[scan.uri, shard]]), floor: scan.held_floor, offset: 0, rules: null };
const paper = vector("passes.json").cases[0].text;
const code = vector("codes.json").cases[0];
const compounds = new Set(["m1k"]);
const look = (text, deviceTime) => () => gate.look({ texts: [text], inward: true, deviceTime }, compounds, held);
const { key, message, signature } = gate.bareOf(paper, keys);
const handle = await crypto.subtle.importKey("raw", key, { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
const bare = () => crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, handle, signature, message);
if (!(await bare())) throw new Error("the bare verification fails");
const looks = { bare, paper: look(paper, 1580875200), phone: look(code.text, code.signed_at) };
for (const [proof, once] of Object.entries(looks).filter(([name]) => name !== "bare"))
  if ((await once()).situation.proof !== proof) throw new Error("the checks are not checks");

const ROUND = 25;
const middle = (found) => found.sort((a, b) => a - b)[Math.floor(found.length / 2)];

async function measure({ seconds, url, authorization }) {
  const said = { answered: 0, failed: 0 };
  const asking = setInterval(() => {
    fetch(url, { headers: { authorization } }).then(
      (answer) => (said[answer.status === 304 ? "answered" : "failed"] += 1),
      () => (said.failed += 1),
    );
  }, 100);
  const spent = { bare: [], paper: [], phone: [] };
  const until = performance.now() + seconds * 1000;
  while (performance.now() < until) {
    for (const [name, once] of Object.entries(looks)) {
      const before = process.cpuUsage();
      for (let i = 0; i < ROUND; i++) await once();
      const { user, system } = process.cpuUsage(before);
      spent[name].push((user + system) / ROUND);
    }
  }
  clearInterval(asking);
  // What was still asked is told to the measure it belongs to.
  await new Promise((done) => setTimeout(done, 300));
  const perSecond = Object.fromEntries(Object.entries(spent).map(([name, found]) => [name, 1e6 / middle(found)]));
  return { ...perSecond, ...said };
}

// Once for the compiler, so that the first measure is like the others.
const warm = performance.now() + 1500;
while (performance.now() < warm) for (const once of Object.values(looks)) await once();
console.log(JSON.stringify({ ready: true }));
for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(await measure(JSON.parse(line))));
