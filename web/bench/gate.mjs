/** The gate's own code, built as the gate is built, for whoever measures it or compares it with Python's. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "vite";

const here = dirname(fileURLToPath(import.meta.url));

async function built() {
  const out = mkdtempSync(join(tmpdir(), "lianfang-bench-"));
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
    return await import(pathToFileURL(join(out, "gate.mjs")).href);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

export const gate = await built();
export const bytes = (hex) => new Uint8Array(Buffer.from(hex, "hex"));
const vector = (name) => JSON.parse(readFileSync(join(here, "../../vectors/pass", name), "utf8"));

/**
 * A paper and a phone of the vectors, how a gate looks at each, and the bare verification of the paper's signature: the same
 * key, message and signature, nothing else.
 */
export async function twoPasses() {
  const scan = vector("scan.json");
  const root = gate.PublicKey.fromPoint(bytes(scan.keys.root));
  const keys = await gate.acceptKeyList(bytes(scan.keys.list), root, bytes(scan.keys.root_thumbprint), null);
  const shard = await gate.acceptList(bytes(scan.list), bytes(scan.until), scan.uri, keys, null);
  const held = { keys, shards: new Map([[scan.uri, shard]]), floor: scan.held_floor, offset: 0, rules: null };
  const compounds = new Set(["m1k"]);
  const look = (text, deviceTime) => () => gate.look({ texts: [text], inward: true, deviceTime }, compounds, held);
  const paperText = vector("passes.json").cases[0].text;
  const code = vector("codes.json").cases[0];
  const looks = { paper: look(paperText, 1580875200), phone: look(code.text, code.signed_at) };
  for (const [proof, once] of Object.entries(looks))
    if ((await once()).situation.proof !== proof) throw new Error("the checks are not checks");
  const { key, message, signature } = gate.bareOf(paperText, keys);
  const handle = await crypto.subtle.importKey("raw", key, { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
  const bare = () => crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, handle, signature, message);
  if (!(await bare())) throw new Error("the bare verification fails");
  return { ...looks, bare, look, code, at: scan.held_floor };
}
