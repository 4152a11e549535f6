/**
 * Checks per second of the gate's own code, built as the gate is built, against bare WebCrypto.
 *
 * Run by the wheel's node; prints one JSON object. `ratio` is the time of a whole check (base45,
 * strict CBOR, key lookup, signature or signatures, list, evidence, verdict) over that of the
 * bare verification it contains: one for paper, two for a phone. A phone seen for the first time
 * also costs unpacking and importing its key. One check after the other, as at a gate.
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

const look = (text, deviceTime) => () => gate.look({ texts: [text], inward: true, deviceTime }, compounds, held);
const first = await look(paper, 1580875200)();
const second = await look(code.text, code.signed_at)();
if (first.situation.proof !== "paper" || second.situation.proof !== "phone") throw new Error("the checks are not checks");

// The bare verification: the same key, message and signature, nothing else.
const { key, message, signature } = gate.bareOf(paper, keys);
const handle = await crypto.subtle.importKey("raw", key, { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
const bare = () => crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, handle, signature, message);
if (!(await bare())) throw new Error("the bare verification fails");

const phones = await gate.otherPhones(code.text, code.signed_at, 1200);
const stranger = await look(phones[0], code.signed_at)();
if (stranger.decision.verdict !== second.decision.verdict) throw new Error("other phones are not read alike");
let next = 1;
const cases = {
  bare,
  paper: look(paper, 1580875200),
  phone: look(code.text, code.signed_at),
  // More phones than are remembered, in turn: each is new again.
  new_phone: () => gate.look({ texts: [phones[next++ % phones.length]], inward: true, deviceTime: code.signed_at }, compounds, held),
};

// Small rounds in turn, and of each case the middle one: what else the machine does hits all alike.
const ROUND = 25;
const times = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));
const until = performance.now() + seconds * 4000;
while (performance.now() < until) {
  for (const [name, once] of Object.entries(cases)) {
    const began = performance.now();
    for (let i = 0; i < ROUND; i++) await once();
    times[name].push((performance.now() - began) / ROUND);
  }
}
const perSecond = (name) => {
  const sorted = times[name].sort((a, b) => a - b);
  return 1000 / sorted[Math.floor(sorted.length / 2)];
};
const results = Object.fromEntries(Object.keys(cases).map((name) => [name, perSecond(name)]));
rmSync(out, { recursive: true, force: true });
console.log(
  JSON.stringify({
    node: process.version,
    bare_verify_per_s: Math.round(results.bare),
    paper_checks_per_s: Math.round(results.paper),
    phone_checks_per_s: Math.round(results.phone),
    new_phone_checks_per_s: Math.round(results.new_phone),
  }),
);
