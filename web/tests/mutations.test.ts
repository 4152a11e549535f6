import { expect, test } from "vitest";
import { type Bytes, concat, fromHex as h } from "../src/bytes";
import { CborMap } from "../src/cbor";
import { toText } from "../src/pass/base45";
import { acceptKeyList, type KeyList } from "../src/pass/keylist";
import { PublicKey } from "../src/pass/keys";
import { acceptReceipt, acceptTime } from "../src/pass/passages";
import { Rejected } from "../src/pass/rejected";
import { acceptRules } from "../src/pass/rules";
import { look } from "../src/pass/scan";
import { acceptDelta, acceptList, type ShardState } from "../src/pass/statuslist";
import { holderSigned, readToken } from "../src/pass/tokens";
import { seeded, vectors } from "./vectors";

/** How many changed files in all; as in tests/sizes.py. */
const SIZES: Readonly<Record<string, number>> = { change: 2_000, nightly: 10_000, release: 200_000 };
const MUTATIONS = SIZES[process.env["LIANFANG_SIZE"] ?? "change"] ?? 0;

const scan = vectors<{
  keys: { root: string; root_thumbprint: string; list: string };
  uri: string;
  list: string;
  until: string;
  held_floor: number;
}>("pass/scan.json");
const of = <T>(name: string): T => vectors<{ cases: T[] }>(`pass/${name}.json`).cases as T;
const token = (name: string): Bytes => {
  const [first] = of<{ token?: string; expect: string }[]>(name).filter((c) => c.expect === "ok" || c.token !== undefined);
  return h(first?.token ?? "");
};

const keys = (): Promise<KeyList> =>
  acceptKeyList(h(scan.keys.list), PublicKey.fromPoint(h(scan.keys.root)), h(scan.keys.root_thumbprint), null);

async function signedToken(data: Bytes, list: KeyList, purpose: "pass" | "slip"): Promise<void> {
  const read = readToken(data);
  const issuedAt = read.what === "slip" ? read.slip.issuedAt : read.pass.issuedAt;
  const issued = read.what === "code" ? read.inner : read.token;
  if (!(await list.signed(issued, purpose, issuedAt))) throw new Rejected("signature");
  if (read.what === "code" && !(await holderSigned(read))) throw new Rejected("signature");
}

async function kinds(): Promise<Record<string, readonly [Bytes, (data: Bytes) => Promise<unknown>]>> {
  const list = await keys();
  const state: ShardState = await acceptList(h(scan.list), h(scan.until), scan.uri, list, null);
  const receipts = vectors<{ time: string; cases: { receipt: string; expect: string }[] }>("pass/receipts.json");
  const found: Record<string, readonly [Bytes, (data: Bytes) => Promise<unknown>]> = {
    pass: [token("passes"), (data) => signedToken(data, list, "pass")],
    "rotating code": [token("codes"), (data) => signedToken(data, list, "pass")],
    slip: [token("slips"), (data) => signedToken(data, list, "slip")],
    list: [h(scan.list), (data) => acceptList(data, h(scan.until), scan.uri, list, null)],
    "until list": [h(scan.until), (data) => acceptList(h(scan.list), data, scan.uri, list, null)],
    "key list": [h(scan.keys.list), (data) => acceptKeyList(data, PublicKey.fromPoint(h(scan.keys.root)), h(scan.keys.root_thumbprint), null)],
    receipt: [h(receipts.cases.find((c) => c.expect === "covers")?.receipt ?? ""), (data) => acceptReceipt(data, list)],
    time: [h(receipts.time), (data) => acceptTime(data, list)],
    rules: [h(vectors<{ rules: string }>("pass/rules.json").rules), (data) => acceptRules(data, list, null)],
  };
  for (const { delta } of of<{ delta?: string }[]>("lists")) {
    if (delta === undefined) continue;
    for (const version of [state.version, 17, 16]) {
      const accept = (data: Bytes): Promise<unknown> => acceptDelta(data, list, { ...state, version });
      if (await accept(h(delta)).then(() => true, () => false)) found["delta"] = [h(delta), accept];
    }
  }
  return found;
}

function mutated(good: Bytes, random: () => number): Bytes {
  const below = (n: number): number => Math.floor(random() * n);
  const [at = 0, to = 0] = [below(good.length), below(good.length + 1)].sort((a, b) => a - b);
  const out = new Uint8Array(good);
  switch (below(7)) {
    case 0:
      out[at] = (out[at] ?? 0) ^ (1 << below(8));
      return out;
    case 1:
      out[at] = below(256);
      return out;
    case 2:
      return good.slice(0, at);
    case 3:
      return concat(good.slice(0, to), good.slice(at));
    case 4:
      return concat(good.slice(0, at), good.slice(to));
    case 5:
      return concat(good, new Uint8Array([below(256), below(256)].slice(below(2))));
    default:
      return concat(good.slice(to), good.slice(0, to));
  }
}

test("of ten thousand changed tokens, lists and receipts none is accepted, and each refusal is one of ours", { timeout: 600_000 }, async () => {
  const all = Object.entries(await kinds());
  expect(all.length).toBe(10);
  for (const [name, [good, accept]] of all) {
    await accept(good);
    const random = seeded(20_200_205 + good.length);
    for (let tried = 0; tried < MUTATIONS / all.length; ) {
      const changed = mutated(good, random);
      if (changed.length === good.length && changed.every((byte, i) => byte === good[i])) continue;
      tried += 1;
      const outcome = await accept(changed).then(
        () => "accepted",
        (error: unknown) => (error instanceof Rejected ? "rejected" : error),
      );
      expect(outcome, `${name} ${tried}`).toBe("rejected");
    }
  }
});

test("any text at all gets a verdict, and none that was changed lets anybody pass", { timeout: 600_000 }, async () => {
  const list = await keys();
  const state = await acceptList(h(scan.list), h(scan.until), scan.uri, list, null);
  const held = { keys: list, shards: new Map([[scan.uri, state]]), floor: scan.held_floor, offset: 0, rules: null };
  const random = seeded(7);
  const texts = [token("passes"), token("codes"), token("slips")].map(toText);
  for (let i = 0; i < MUTATIONS / 4; i++) {
    const text = texts[i % texts.length] ?? "";
    const at = Math.floor(random() * text.length);
    const changed = text.slice(0, at) + String.fromCharCode(0x20 + Math.floor(random() * 0xd7df)) + text.slice(at + 1);
    if (changed === text) continue;
    const asked = { texts: [changed], inward: random() < 0.5, deviceTime: scan.held_floor };
    const { decision } = await look(asked, new Set(["m1k"]), held);
    expect(decision.verdict, changed).toBe("CALL");
    expect(["SIGNATURE_BAD", "NO_PASS"]).toContain(decision.reason);
  }
});

test("a remembered phone is the phone of exactly this key", () => {
  const key = (sign: boolean, kty = 2): CborMap => new CborMap([[1, kty], [-1, 1], [-2, h(scan.keys.root).slice(1, 33)], [-3, sign]]);
  const [odd, even] = [PublicKey.ofHolder(key(true)), PublicKey.ofHolder(key(false))];
  expect(odd.y).not.toEqual(even.y);
  expect(PublicKey.ofHolder(key(true))).toBe(odd);
  expect(() => PublicKey.ofHolder(key(true, 3))).toThrow(Rejected);
});
