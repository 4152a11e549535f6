/**
 * Milliseconds from each text of garbage to the verdict of the gate's own code, built as the gate is built.
 *
 * Run by the wheel's node with a file of JSON: the texts. Prints an array, one number for each.
 */
import { readFileSync } from "node:fs";
import { twoPasses } from "./gate.mjs";

const { look, at } = await twoPasses();
const spent = [];
for (const text of JSON.parse(readFileSync(process.argv[2], "utf8"))) {
  const once = look(text, at);
  const began = performance.now();
  const { decision } = await once();
  spent.push(performance.now() - began);
  if (decision.verdict !== "CALL") throw new Error(`${decision.verdict} for ${text}`);
}
process.stdout.write(JSON.stringify(spent));
