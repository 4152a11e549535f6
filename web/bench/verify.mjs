/**
 * Checks per second of the gate's own code, built as the gate is built, against bare WebCrypto.
 *
 * Run by the wheel's node; prints one JSON object. `ratio` is the time of a whole check (base45,
 * strict CBOR, key lookup, signature or signatures, list, evidence, verdict) over that of the
 * bare verification it contains: one for paper, two for a phone. A phone seen for the first time
 * also costs unpacking and importing its key. One check after the other, as at a gate.
 */
import { gate, twoPasses } from "./gate.mjs";

const seconds = Number(process.argv[2] ?? 2);
const { bare, paper, phone, look, code } = await twoPasses();

const phones = await gate.otherPhones(code.text, code.signed_at, 1200);
const [known, stranger] = [await phone(), await look(phones[0], code.signed_at)()];
if (stranger.decision.verdict !== known.decision.verdict) throw new Error("other phones are not read alike");
let next = 1;
const cases = {
  bare,
  paper,
  phone,
  // More phones than are remembered, in turn: each is new again.
  new_phone: () => look(phones[next++ % phones.length], code.signed_at)(),
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
console.log(
  JSON.stringify({
    node: process.version,
    bare_verify_per_s: Math.round(results.bare),
    paper_checks_per_s: Math.round(results.paper),
    phone_checks_per_s: Math.round(results.phone),
    new_phone_checks_per_s: Math.round(results.new_phone),
  }),
);
