/**
 * Verdicts for each second of CPU of the gate's own code, built as the gate is built, while the same process asks the server
 * ten times a second: does a gate decide as fast with the server stopped, or in a rush, as with it answering?
 *
 * Run by the wheel's node. Says `{"ready": true}`; then takes lines `{seconds, url, authorization}` and answers each with
 * `{bare, paper, phone, answered, failed}`. `bare` is the bare verification of the same signature, in turn with the others: what
 * else the machine does makes all of them slower alike.
 */
import { createInterface } from "node:readline";
import { twoPasses } from "./gate.mjs";

const { bare, paper, phone } = await twoPasses();
const looks = { bare, paper, phone };

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
