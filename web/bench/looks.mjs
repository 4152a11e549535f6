/**
 * What the gate's code, built as the gate is built, says of many looks at one pass: a test compares it with Python's.
 *
 * Run by the wheel's node with a file of JSON: keys, the pass, and per look `[device time, offset, inward, list signed at,
 * end]`; prints an array of `[verdict, reason, time used, floor, situation]`.
 */
import { readFileSync } from "node:fs";
import { bytes, gate } from "./gate.mjs";

const asked = JSON.parse(readFileSync(process.argv[2], "utf8"));
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
