/**
 * What the gate's code, built as the gate is built, says of many looks at a few passes: tests compare it.
 *
 * Run by the wheel's node with a file of JSON: keys, the texts, the compounds of each gate, and per look `[device time,
 * offset, inward, list signed at, end, text, gate]`, the end null for a list that knows of no order; prints an array of
 * `[verdict, reason, time used, floor, situation]`.
 */
import { readFileSync } from "node:fs";
import { bytes, gate } from "./gate.mjs";

const asked = JSON.parse(readFileSync(process.argv[2], "utf8"));
const root = gate.PublicKey.fromPoint(bytes(asked.root));
const keys = await gate.acceptKeyList(bytes(asked.keys), root, bytes(asked.thumbprint), null);
const { uri, index, texts } = asked;
const bits = bytes(asked.bits);
const free = new Uint8Array(bits.length);
const compounds = asked.compounds.map((zones) => new Set(zones));
const said = [];
for (const [deviceTime, offset, inward, signedAt, end, text, at] of asked.looks) {
  const row = end === null ? { bits: free, ends: new Map() } : { bits, ends: new Map([[index, end]]) };
  const shard = { uri, version: 3, signedAt, ...row };
  const held = { keys, shards: new Map([[uri, shard]]), floor: signedAt, offset, rules: null };
  const look = { texts: [texts[text]], inward, deviceTime };
  const { decision, situation, timeUsed, floor } = await gate.look(look, compounds[at], held);
  said.push([decision.verdict, decision.reason, timeUsed, floor, situation]);
}
process.stdout.write(JSON.stringify(said));
