/**
 * What the gate's code, built as the gate is built, says of many looks at one pass: a test compares it with Python's.
 *
 * Run by the wheel's node with a file of JSON: keys, the pass, and per look `[device time, offset, inward, list signed at,
 * end]`; prints an array of `[verdict, reason, time used, floor, situation]`.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "vite";

const here = dirname(fileURLToPath(import.meta.url));
const asked = JSON.parse(readFileSync(process.argv[2], "utf8"));
const bytes = (hex) => new Uint8Array(Buffer.from(hex, "hex"));
const out = mkdtempSync(join(tmpdir(), "lianfang-looks-"));
try {
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
  const root = gate.PublicKey.fromPoint(bytes(asked.root));
  const keys = await gate.acceptKeyList(bytes(asked.keys), root, bytes(asked.thumbprint), null);
  const { uri, index, text } = asked;
  const bits = bytes(asked.bits);
  const compounds = new Set(asked.compounds);
  const said = [];
  for (const [deviceTime, offset, inward, signedAt, end] of asked.looks) {
    const shard = { uri, version: 3, signedAt, bits, ends: new Map([[index, end]]) };
    const held = { keys, shards: new Map([[uri, shard]]), floor: signedAt, offset, rules: null };
    const { decision, situation, timeUsed, floor } = await gate.look({ texts: [text], inward, deviceTime }, compounds, held);
    said.push([decision.verdict, decision.reason, timeUsed, floor, situation]);
  }
  process.stdout.write(JSON.stringify(said));
} finally {
  rmSync(out, { recursive: true, force: true });
}
