/**
 * Checks per second of the gate's own code, built as the gate is built, against bare WebCrypto.
 *
 * Run by the wheel's node; prints one JSON object. `ratio` is the time of a whole check (base45,
 * strict CBOR, key lookup, signature or signatures, list, evidence, verdict) over that of the
 * bare verification it contains: one for paper, two and the holder's key import for a phone.
 * One thread, one check after the other, as at a gate.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "vite";

const here = dirname(fileURLToPath(import.meta.url));
const seconds = Number(process.argv[2] ?? 2);
const out = mkdtempSync(join(tmpdir(), "lianfang-bench-"));
const vector = (name) => JSON.parse(readFileSync(join(here, "../../vectors/pass", name), "utf8"));
const bytes = (hex) => new Uint8Array(hex.match(/../g).map((pair) => parseInt(pair, 16)));

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

const scan = vector("scan.json");
const keys = await gate.acceptKeyList(
  bytes(scan.keys.list),
  gate.PublicKey.fromPoint(bytes(scan.keys.root)),
  bytes(scan.keys.root_thumbprint),
  null,
);
const shard = await gate.acceptList(bytes(scan.list), bytes(scan.until), scan.uri, keys, null);
const held = { keys, shards: new Map([[scan.uri, shard]]), floor: scan.held_floor, offset: 0, rules: null };
const compounds = new Set(["m1k"]);
const paper = vector("passes.json").cases[0].text;
const code = vector("codes.json").cases[0];

async function perSecond(once) {
  for (let i = 0; i < 200; i++) await once();
  const began = performance.now();
  let count = 0;
  while (performance.now() - began < seconds * 1000) {
    for (let i = 0; i < 50; i++) await once();
    count += 50;
  }
  return count / ((performance.now() - began) / 1000);
}

const look = (text, deviceTime) => () => gate.look({ texts: [text], inward: true, deviceTime }, compounds, held);
const first = await look(paper, 1580875200)();
const second = await look(code.text, code.signed_at)();
if (first.situation.proof !== "paper" || second.situation.proof !== "phone") throw new Error("the checks are not checks");

// The bare verification: the same key, message and signature, nothing else.
const { key, message, signature } = gate.bareOf(paper, keys);
const handle = await crypto.subtle.importKey("raw", key, { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
const bare = () => crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, handle, signature, message);
if (!(await bare())) throw new Error("the bare verification fails");

// Alternate, so that a busy machine slows both alike.
const results = { bare: 0, paper: 0, phone: 0 };
const rounds = 3;
for (let i = 0; i < rounds; i++) {
  results.bare += (await perSecond(bare)) / rounds;
  results.paper += (await perSecond(look(paper, 1580875200))) / rounds;
  results.phone += (await perSecond(look(code.text, code.signed_at))) / rounds;
}
rmSync(out, { recursive: true, force: true });
console.log(
  JSON.stringify({
    node: process.version,
    bare_verify_per_s: Math.round(results.bare),
    paper_checks_per_s: Math.round(results.paper),
    phone_checks_per_s: Math.round(results.phone),
    paper_ratio: Number((results.bare / results.paper).toFixed(2)),
    phone_ratio_to_two: Number((results.bare / 2 / results.phone).toFixed(2)),
  }),
);
