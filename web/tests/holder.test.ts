import "fake-indexeddb/auto";
import { openDB } from "idb";
import { expect, test } from "vitest";
import { base64url, fromBase64url, fromHex } from "../src/bytes";
import { CborMap, decode, encode, Tag } from "../src/cbor";
import { asking, passFor, type Work } from "../src/holder/due";
import { Holder } from "../src/holder/store";
import { CNF } from "../src/pass/claims";
import { FLAG, type Pass, readToken } from "../src/pass/tokens";
import { vectors } from "./vectors";

const { cases } = vectors<{ cases: { name: string; token: string }[] }>("pass/passes.json");
const bytes = fromHex(cases.find((c) => c.name === "a phone pass")?.token ?? "");
const phonePass = (): Pass => {
  const read = readToken(bytes);
  if (read.what !== "pass") throw new Error("no pass");
  return read.pass;
};
const HOME = phonePass();
const NOW = HOME.issuedAt;
const DAY = 86_400;
const WORK: Work = { kind: "W", zones: ["m7", "m9"], marked: false, until: NOW + 20 * DAY, label: "" };
const worker = (changes: Partial<Pass> = {}): Pass => ({ ...HOME, kind: "W", zones: WORK.zones, flags: 0, ...changes });
const carried = (...passes: Pass[]): { pass: Pass }[] => passes.map((pass) => ({ pass }));

test.each([
  ["nothing here: there is no key to ask with", [], [WORK], null],
  ["the personal pass alone", [HOME], [], null],
  ["the personal pass near its end", [{ ...HOME, expiresAt: NOW + 2 * DAY - 1 }], [], "renewal"],
  ["granted and here", [HOME, worker()], [WORK], null],
  ["granted and not here", [HOME], [WORK], "missing"],
  ["granted for other places than the pass that is here", [HOME, worker({ zones: ["m7", "m8"] })], [WORK], "missing"],
  ["granted for fewer places", [HOME, worker()], [{ ...WORK, zones: ["m7"] }], "missing"],
  ["granted for more places", [HOME, worker({ zones: ["m7"] })], [WORK], "missing"],
  ["cleared since", [HOME, worker({ flags: FLAG.NOT_CLEARED })], [WORK], "missing"],
  ["over", [HOME, worker({ expiresAt: NOW })], [WORK], "missing"],
  ["no longer granted", [HOME, worker()], [], "missing"],
  ["near its end, and the grant lasts", [HOME, worker({ expiresAt: NOW + DAY })], [WORK], "renewal"],
  ["ending with its grant", [HOME, worker({ expiresAt: NOW + DAY })], [{ ...WORK, until: NOW + DAY }], null],
] as [string, Pass[], Work[], string | null][])("the server is asked or not: %s", (_, passes, works, expected) => {
  expect(asking(carried(...passes), works, NOW)).toBe(expected);
});

test("the pass for home is never shown as one for work, nor the reverse", () => {
  const marked = worker({ flags: FLAG.NOT_CLEARED });
  const all = carried(worker({ kind: "V" }), marked, HOME, worker());
  expect(passFor(all, null)?.pass).toBe(HOME);
  expect(passFor(all, WORK)?.pass).toBe(all[3]?.pass);
  expect(passFor(all, { ...WORK, marked: true })?.pass).toBe(marked);
  // Until the one after the clearance is here, the marked one is shown: it says less.
  expect(passFor(carried(HOME, marked), WORK)?.pass).toBe(marked);
  expect(passFor(carried(HOME), WORK)).toBeNull();
  expect(passFor(carried(worker()), null)).toBeNull();
});

test("what a phone kept before it could carry more than one pass stays good", async () => {
  const keys = (await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"])) as CryptoKeyPair;
  const db = await openDB("before", 1, { upgrade: (fresh) => void fresh.createObjectStore("holders") });
  await db.put("holders", { keys, pass: bytes, pending: null }, "luo");
  await db.put("holders", { keys: null, pass: null, pending: keys }, "chen");
  db.close();
  const holder = await Holder.open("luo", "before");
  const [held, ...more] = holder.carried;
  if (held === undefined) throw new Error("nothing is carried");
  expect([held.pass.cti, more]).toEqual([HOME.cti, []]);
  expect(await holder.code(held, NOW)).toMatch(/^LF1:/);
  expect((await Holder.open("chen", "before")).carried).toEqual([]);
  expect((await Holder.open("nobody", "before")).carried).toEqual([]);
});

/** The token of the vectors for the key of this holder; whoever reads it here does not ask who signed it. */
async function forKey(cose: string): Promise<string> {
  const key = decode(fromBase64url(cose));
  const token = decode(bytes);
  if (!(token instanceof Tag) || !Array.isArray(token.value) || !(key instanceof CborMap)) throw new Error("no token");
  const [header, rest, payload, signature] = token.value;
  const claims = decode(payload as Uint8Array);
  if (!(claims instanceof CborMap)) throw new Error("no claims");
  const changed = new CborMap(claims.pairs().map(([name, value]) => [name, name === CNF ? new CborMap([[1, key]]) : value]));
  return base64url(encode(new Tag(token.number, [header ?? null, rest ?? null, encode(changed), signature ?? null])));
}

test("what the server made for this phone's newest key takes the place of all before, and stays", async () => {
  const holder = await Holder.open("sun", "kept");
  await expect(holder.keepPasses([base64url(bytes)])).rejects.toThrow();
  const mine = await forKey(await holder.newKey());
  await holder.keepPasses([mine, mine]);
  await holder.keepSlips(["LF1:SLIP"]);
  await holder.remember({ works: [WORK] });
  const again = await Holder.open("sun", "kept");
  expect([again.carried.length, again.slips, again.page]).toEqual([2, ["LF1:SLIP"], { works: [WORK] }]);
  const [held] = again.carried;
  if (held === undefined) throw new Error("nothing is carried");
  expect(await again.code(held, NOW)).toMatch(/^LF1:/);
  // One of ours and one of somebody else's: neither is kept, in any order.
  for (const tokens of [[mine, base64url(bytes)], [base64url(bytes), mine]]) {
    await expect(again.keepPasses(tokens)).rejects.toThrow();
  }
  // The key before is good until there is one for the next.
  await again.newKey();
  await again.keepPasses([mine]);
  expect((await Holder.open("sun", "kept")).carried.length).toBe(1);
});

test("passes for another key, none, or something else leave what is held as it is", async () => {
  const holder = await Holder.open("luo", "before");
  for (const tokens of [[], [base64url(bytes)], [base64url(bytes.slice(1))], [base64url(fromHex(cases[0]?.token ?? ""))]]) {
    await expect(holder.keepPasses(tokens)).rejects.toThrow();
  }
  expect((await Holder.open("luo", "before")).carried.length).toBe(1);
});
