import { describe, expect, test } from "vitest";
import { CborMap, type Value } from "../src/cbor";
import { sign1 } from "../src/pass/cose";
import { type Bytes, fromHex, hex, utf8 } from "../src/bytes";
import { NotBase45, decodeBase45, encodeBase45, fromText, toText } from "../src/pass/base45";
import { phonesDisagree, timeUsed } from "../src/pass/clock";
import { ageOf, weigh } from "../src/pass/evidence";
import { inflateInScript } from "../src/pass/inflate";
import { acceptKeyList, KeyList } from "../src/pass/keylist";
import { PublicKey, verifyInScript } from "../src/pass/keys";
import { passNumber, shownNumber } from "../src/pass/number";
import { acceptReceipt, acceptTime, acceptWithdrawal, type Batch, covers, encodeBatch, rowsHash, seal } from "../src/pass/passages";
import { Rejected } from "../src/pass/rejected";
import { acceptRules, actAt, windowStart } from "../src/pass/rules";
import { type Held, look, type StoreRow } from "../src/pass/scan";
import { acceptDelta, acceptList, rowOf, type ShardState } from "../src/pass/statuslist";
import { holderSigned, type Identity, type Pass, type PassClass, readToken, type Slip, type SlipKind } from "../src/pass/tokens";
import type { Situation } from "../src/pass/verdict";
import { seeded, vectors } from "./vectors";

const h = fromHex;

interface KeysVector {
  root: string;
  root_thumbprint: string;
  list: string;
}

function keyListOf(keys: KeysVector): Promise<KeyList> {
  return acceptKeyList(h(keys.list), PublicKey.fromPoint(h(keys.root)), h(keys.root_thumbprint), null);
}

function shownPass(p: Pass): unknown {
  return {
    cti: hex(p.cti),
    issued_at: p.issuedAt,
    not_before: p.notBefore,
    expires_at: p.expiresAt,
    list_uri: p.listUri,
    index: p.index,
    class: p.kind,
    zones: p.zones,
    flags: p.flags,
    ...shownIdentity(p.identity),
    holder_key: p.holderKey && hex(p.holderKey.point),
  };
}

function shownIdentity(i: Identity): Record<string, unknown> {
  return { door: i.door, member_no: i.memberNo, initials: i.initials, birth_year: i.birthYear };
}

describe("base45", () => {
  const { cases } = vectors<{ cases: { text: string; expect: string; bytes?: string }[] }>("pass/base45.json");
  test.each(cases)("$text", ({ text, expect: expected, bytes }) => {
    if (expected === "refused") expect(() => decodeBase45(text)).toThrow(NotBase45);
    else {
      expect(hex(decodeBase45(text))).toBe(bytes);
      expect(encodeBase45(h(bytes ?? ""))).toBe(text);
    }
  });
});

describe("pass numbers", () => {
  const { cases } = vectors<{ cases: { text: string; expect: string; number?: string }[] }>("pass/numbers.json");
  test.each(cases)("$text: $expect", ({ text, number }) => {
    const ten = passNumber(text);
    expect(ten === null ? null : shownNumber(ten)).toBe(number ?? null);
  });
});

describe("key lists", () => {
  const shared = vectors<{
    root: string;
    root_thumbprint: string;
    at: number;
    cases: {
      name: string;
      list: string;
      expect: string;
      version?: number;
      keys?: number;
      withdrawn?: string[];
      pass_key_usable?: boolean;
    }[];
  }>("pass/keylist.json");

  test("are taken one after another as the other side takes them", async () => {
    let held: KeyList | null = null;
    const passes = vectors<{ cases: { token: string; expect: string }[] }>("pass/passes.json");
    const paper = readToken(h(passes.cases[0]?.token ?? ""));
    for (const c of shared.cases) {
      const accept = (): Promise<KeyList> =>
        acceptKeyList(h(c.list), PublicKey.fromPoint(h(shared.root)), h(shared.root_thumbprint), held);
      if (c.expect === "refused") {
        await expect(accept(), c.name).rejects.toThrow(Rejected);
        continue;
      }
      held = await accept();
      expect([held.version, held.keys.length, [...held.withdrawn].sort()], c.name).toEqual([
        c.version,
        c.keys,
        [...(c.withdrawn ?? [])].sort(),
      ]);
      expect(await held.signed(paper.token, "pass", shared.at), c.name).toBe(c.pass_key_usable);
    }
  });
  test("another root is refused", async () => {
    const list = h(shared.cases[0]?.list ?? "");
    const root = PublicKey.fromPoint(h(shared.root));
    await expect(acceptKeyList(list, root, new Uint8Array(32), null)).rejects.toThrow(Rejected);
  });
});

interface TokenCase {
  name: string;
  token: string;
  text?: string;
  expect: string;
  pass?: unknown;
  slip?: Record<string, unknown>;
  signed_at?: number;
}

describe.each(["passes", "codes", "slips"])("%s", (file) => {
  const shared = vectors<{ keys: KeysVector; cases: TokenCase[] }>(`pass/${file}.json`);

  async function read(c: TokenCase): Promise<unknown> {
    const keys = await keyListOf(shared.keys);
    const read = readToken(h(c.token));
    if (read.what === "slip") {
      if (file !== "slips" || !(await keys.signed(read.token, "slip", read.slip.issuedAt))) throw new Rejected("signature");
      const s = read.slip;
      return {
        cti: hex(s.cti),
        kind: s.kind,
        issued_at: s.issuedAt,
        not_before: s.notBefore,
        expires_at: s.expiresAt,
        order_no: s.orderNo,
        ...shownIdentity(s.identity),
        start: s.start,
        end: s.end,
      };
    }
    if (file === "slips" || (file === "codes") !== (read.what === "code")) throw new Rejected("kind");
    const issued = read.what === "code" ? read.inner : read.token;
    if (!(await keys.signed(issued, "pass", read.pass.issuedAt))) throw new Rejected("signature");
    if (read.what === "code") {
      if (!(await holderSigned(read))) throw new Rejected("holder");
      expect(read.signedAt).toBe(c.signed_at);
    }
    return shownPass(read.pass);
  }

  test.each(shared.cases)("$name: $expect", async (c) => {
    if (c.expect === "refused") {
      await expect(read(c)).rejects.toThrow(Rejected);
      return;
    }
    expect(await read(c)).toEqual(c.pass ?? c.slip);
    if (c.text !== undefined) {
      expect(hex(fromText(`${c.text}\r\n`))).toBe(c.token);
      expect(toText(h(c.token))).toBe(c.text);
    }
  });
});

describe("status files", () => {
  interface ListCase {
    name: string;
    kind: "list" | "delta";
    expect: string;
    list?: string;
    until?: string;
    delta?: string;
    held?: { version: number; signed_at: number; rows: Record<string, { status: number; end: number | null } | null> };
  }
  const shared = vectors<{ keys: KeysVector; uri: string; cases: ListCase[] }>("pass/lists.json");

  test("are taken one after another as the other side takes them", async () => {
    const keys = await keyListOf(shared.keys);
    let held: ShardState | null = null;
    for (const c of shared.cases) {
      const before = held;
      const accept = async (): Promise<ShardState> => {
        if (c.kind === "list") return acceptList(h(c.list ?? ""), h(c.until ?? ""), shared.uri, keys, before);
        if (before === null) throw new Rejected("gap");
        return acceptDelta(h(c.delta ?? ""), keys, before);
      };
      if (c.expect === "refused") {
        await expect(accept(), c.name).rejects.toThrow(Rejected);
        continue;
      }
      held = await accept();
      expect([held.version, held.signedAt], c.name).toEqual([c.held?.version, c.held?.signed_at]);
      const statuses = ["valid", "invalid", "suspended", "refer"];
      for (const [index, row] of Object.entries(c.held?.rows ?? {})) {
        const expected = row && { status: statuses[row.status], end: row.end };
        expect(rowOf(held, Number(index)), `${c.name}: ${index}`).toEqual(expected);
      }
    }
    expect(held).not.toBeNull();
  });

  test("inflate in script as the browser does, and refuse what follows the stream", async () => {
    const { zlibSync } = await import("fflate");
    const packed = zlibSync(utf8("abc".repeat(1000))) as Bytes;
    expect(inflateInScript(packed).length).toBe(3000);
    expect(() => inflateInScript(new Uint8Array([...packed, 0]))).toThrow(Rejected);
    expect(() => inflateInScript(packed.slice(0, -1))).toThrow(Rejected);
  });
});

describe("the clock", () => {
  const shared = vectors<{
    cases: { device: number; offset: number; floor: number; expect: { at: number; in_doubt: boolean } }[];
    phones: { differences: number[]; expect: boolean }[];
  }>("pass/clock.json");
  test.each(shared.cases)("$device + $offset above $floor", (c) => {
    expect(timeUsed(c.device, c.offset, c.floor)).toEqual({ at: c.expect.at, inDoubt: c.expect.in_doubt });
  });
  test.each(shared.phones)("phones differing by $differences", (c) => {
    expect(phonesDisagree(c.differences)).toBe(c.expect);
  });
});

describe("evidence", () => {
  interface SlipVector {
    kind: SlipKind;
    issued_at: number;
    not_before: number;
    start: number;
    end: number;
  }
  const shared = vectors<{
    cases: {
      name: string;
      now: number;
      row: { status: number | null; end: number | null; signed_at: number } | null;
      pass_signed_at: number | null;
      on_phone: boolean;
      slips: SlipVector[];
      expect: { status: string; slip: string; known: number | null; evidence: string };
    }[];
  }>("pass/evidence.json");
  const statuses = ["valid", "invalid", "suspended", "refer"] as const;
  const nobody: Identity = { door: "1", memberNo: null, initials: "X", birthYear: null };

  test.each(shared.cases)("$name", (c) => {
    const weighed = weigh({
      now: c.now,
      row: c.row && {
        status: c.row.status === null ? null : (statuses[c.row.status] ?? null),
        end: c.row.end,
        signedAt: c.row.signed_at,
      },
      passSignedAt: c.pass_signed_at,
      onPhone: c.on_phone,
      slips: c.slips.map(
        (s): Slip => ({
          cti: new Uint8Array(8),
          kind: s.kind,
          issuedAt: s.issued_at,
          notBefore: s.not_before,
          expiresAt: 4_000_000_000,
          orderNo: "x",
          identity: nobody,
          start: s.start,
          end: s.end,
        }),
      ),
    });
    expect({ ...weighed, evidence: ageOf(weighed.known, c.now) }).toEqual(c.expect);
  });
});

describe("rules", () => {
  const shared = vectors<{
    keys: KeysVector;
    rules: string;
    version: number;
    fever_tenths: number;
    quota_windows: { now: number; expect: number }[];
    cases: { compounds: string[]; class: string; movement: Situation["movement"]; used: number; now: number; expect: string }[];
    ages: { hours: unknown; rules: string; expect: string }[];
    aged: { hours: [number, number]; after: number; expect: string }[];
  }>("pass/rules.json");

  test.each(shared.ages)("say how old evidence may be: $hours $expect", async (c) => {
    const read = acceptRules(h(c.rules), await keyListOf(shared.keys), null);
    if (c.expect === "refused") await expect(read).rejects.toThrow(Rejected);
    else expect([(await read).ages.day / 3600, (await read).ages.old / 3600]).toEqual(c.hours);
  });
  test.each(shared.aged)("$hours: after $after s $expect", (c) => {
    const [day, old] = c.hours;
    expect(ageOf(0, c.after, { day: day * 3600, old: old * 3600 })).toBe(c.expect);
  });

  test("decide the act's dimension as the other side does", async () => {
    const rules = await acceptRules(h(shared.rules), await keyListOf(shared.keys), null);
    expect([rules.version, rules.feverTenths]).toEqual([shared.version, shared.fever_tenths]);
    for (const c of shared.cases) {
      expect(actAt(rules, c.now, new Set(c.compounds), c.class, c.movement, () => c.used), JSON.stringify(c)).toBe(c.expect);
    }
    const quota = rules.acts.find((act) => act.kind === "quota");
    if (quota === undefined) throw new Error("no quota");
    for (const w of shared.quota_windows) expect(windowStart(quota, w.now)).toBe(w.expect);
  });
});

describe("the ages of a rule set", () => {
  // Only what is read is tried here; who signed it stands in pass/rules.json.
  const keys = { signed: () => Promise.resolve(true) } as unknown as KeyList;
  async function read(more: readonly (readonly [number, Value])[]): Promise<{ day: number; old: number }> {
    const { privateKey } = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
    const body = new CborMap([[1, 1], [2, []], [3, 373], ...more]);
    const claims = new CborMap([[1, "LF"], [6, 1], [4, 2], [-65538, 1], [-65543, body]]);
    const signed = await sign1([[4, new Uint8Array(4)], [16, "application/lf-rules+cwt"]], claims, privateKey);
    const { day, old } = (await acceptRules(signed, keys, null)).ages;
    return { day: day / 3600, old: old / 3600 };
  }

  test("are a day and three where it says nothing, and what it says where it does", async () => {
    expect(await read([])).toEqual({ day: 24, old: 72 });
    for (const [day, old] of [[12, 48], [1, 1], [720, 720]] as const) expect(await read([[4, [day, old]]])).toEqual({ day, old });
  });

  test.each([[[]], [[24]], [[0, 72]], [[72, 24]], [[24, 721]], [["24", 72]], [[24, 72, 96]]])("%j is refused", async (ages: Value[]) => {
    await expect(read([[4, ages]])).rejects.toThrow(Rejected);
  });

  test("decide how old what is known is", () => {
    const ages = { day: 12 * 3600, old: 48 * 3600 };
    const at = (hours: number, second: number): string => ageOf(0, hours * 3600 + second, ages);
    expect([at(12, 0), at(12, 1), at(48, 0), at(48, 1)]).toEqual(["day", "three_days", "three_days", "old"]);
    expect([ageOf(0, 24 * 3600), ageOf(0, 24 * 3600 + 1), ageOf(0, 72 * 3600 + 1)]).toEqual(["day", "three_days", "old"]);
  });
});

describe("scans", () => {
  interface ScanCase {
    name: string;
    texts: string[];
    inward: boolean;
    device_time: number;
    found: Record<string, string | number | null> | null;
    life_exit: boolean;
    temperature_high: boolean;
    compounds: string[];
    expect: {
      verdict: string;
      reason: string;
      notes: string[];
      situation: Situation;
      time_used: number;
      floor: number;
      cti: string | null;
      order_end: number | null;
    };
  }
  const shared = vectors<{
    keys: KeysVector;
    uri: string;
    list: string;
    until: string;
    held_floor: number;
    cases: ScanCase[];
  }>("pass/scan.json");

  async function held(): Promise<Held> {
    const keys = await keyListOf(shared.keys);
    const shard = await acceptList(h(shared.list), h(shared.until), shared.uri, keys, null);
    return { keys, shards: new Map([[shared.uri, shard]]), floor: shared.held_floor, offset: 0, rules: null };
  }

  test.each(shared.cases)("$name", async (c) => {
    const found: StoreRow | null = c.found && {
      passNo: c.found["pass_no"] as string | null,
      listUri: c.found["list_uri"] as string | null,
      index: c.found["index"] as number | null,
      endedAt: c.found["ended_at"] as number | null,
      kind: String(c.found["class"]) as PassClass,
      identity: {
        door: String(c.found["door"]),
        memberNo: c.found["member_no"] as number | null,
        initials: String(c.found["initials"]),
        birthYear: c.found["birth_year"] as number | null,
      },
    };
    const outcome = await look(
      {
        texts: c.texts,
        inward: c.inward,
        deviceTime: c.device_time,
        found,
        lifeExit: c.life_exit,
        temperatureHigh: c.temperature_high,
      },
      new Set(c.compounds),
      await held(),
    );
    expect({
      verdict: outcome.decision.verdict,
      reason: outcome.decision.reason,
      notes: outcome.decision.notes,
      situation: outcome.situation,
      time_used: outcome.timeUsed,
      floor: outcome.floor,
      cti: outcome.cti && hex(outcome.cti),
      order_end: outcome.orderEnd,
    }).toEqual(c.expect);
  });

  test("a gate that doubts its own clock calls no code stale", async () => {
    const code = vectors<{ cases: TokenCase[] }>("pass/codes.json").cases[0];
    const asked = { texts: [code?.text ?? ""], inward: true };
    const state = await held();
    const doubting = await look({ ...asked, deviceTime: shared.held_floor - 400 }, new Set(["m1k"]), state);
    expect([doubting.situation.clock, doubting.situation.proof]).toEqual(["doubt", "phone"]);
    const sure = await look({ ...asked, deviceTime: (code?.signed_at ?? 0) + 91 }, new Set(["m1k"]), state);
    expect([sure.situation.clock, sure.situation.proof]).toEqual(["sure", "phone_stale"]);
    const fresh = await look({ ...asked, deviceTime: (code?.signed_at ?? 0) + 90 }, new Set(["m1k"]), state);
    expect(fresh.situation.proof).toBe("phone");
  });

  test("give a verdict for any text, and never ALLOW for a changed one", async () => {
    const state = await held();
    const random = seeded(7);
    const good = shared.cases.flatMap((c) => c.texts).filter((text) => text.startsWith("LF1:"));
    const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
    for (let i = 0; i < 1500; i++) {
      let text = good[Math.floor(random() * good.length)] ?? "";
      const at = 4 + Math.floor(random() * (text.length - 4));
      const letter = letters.charAt(Math.floor(random() * letters.length));
      const same = text.charAt(at) === letter;
      text = text.slice(0, at) + letter + text.slice(at + 1);
      if (i % 10 === 0) text = text.slice(0, at);
      if (i % 11 === 0) text = String.fromCharCode(Math.floor(random() * 65536)).repeat(i % 50);
      const outcome = await look(
        { texts: [text], inward: true, deviceTime: 1580875200 },
        new Set(["m1k"]),
        state,
      );
      if (!same || i % 10 === 0) expect(outcome.decision.verdict, text).toBe("CALL");
    }
  });
});

async function pairOf(privateHex: string): Promise<CryptoKeyPair> {
  const { p256 } = await import("@noble/curves/nist.js");
  const { base64url } = await import("../src/bytes");
  const point = p256.getPublicKey(h(privateHex), false);
  const jwk = {
    kty: "EC",
    crv: "P-256",
    x: base64url(point.slice(1, 33)),
    y: base64url(point.slice(33)),
  };
  const algorithm = { name: "ECDH", namedCurve: "P-256" };
  return {
    privateKey: await crypto.subtle.importKey("jwk", { ...jwk, d: base64url(h(privateHex)) }, algorithm, true, ["deriveBits"]),
    publicKey: await crypto.subtle.importKey("jwk", jwk, algorithm, true, []),
  };
}

describe("sealing", () => {
  const shared = vectors<{
    public: string;
    cases: { name: string; sealed: string; info: string; aad: string; ephemeral?: string; expect: string; plain?: string }[];
  }>("pass/sealing.json");
  test.each(shared.cases.filter((c) => c.expect === "ok" && c.ephemeral !== undefined))("$name", async (c) => {
    const sealed = await seal(h(c.plain ?? ""), h(shared.public), h(c.info), h(c.aad), await pairOf(c.ephemeral ?? ""));
    expect(hex(sealed)).toBe(c.sealed);
  });
});

describe("receipts", () => {
  const shared = vectors<{
    keys: KeysVector;
    device: string;
    rows: { seq: number; plain: string; ephemeral: string; sealed: string }[];
    batch: string;
    rows_hash: string;
    time: string;
    time_at: number;
    withdrawals: { name: string; said: string; expect: string }[];
    cases: { name: string; receipt: string; expect: string }[];
  }>("pass/receipts.json");
  const batch: Batch = {
    device: h(shared.device),
    fromSeq: shared.rows[0]?.seq ?? 0,
    rows: shared.rows.map((row) => h(row.sealed)),
  };

  test("the batch and its hash are the same bytes", () => {
    expect(hex(encodeBatch(batch))).toBe(shared.batch);
    expect(hex(rowsHash(batch.rows))).toBe(shared.rows_hash);
  });
  test.each(shared.cases)("$name: $expect", async (c) => {
    const keys = await keyListOf(shared.keys);
    if (c.expect === "refused") await expect(acceptReceipt(h(c.receipt), keys)).rejects.toThrow(Rejected);
    else expect(covers(await acceptReceipt(h(c.receipt), keys), batch)).toBe(c.expect === "covers");
  });
  test.each(shared.withdrawals)("withdrawal, $name: $expect", async (c) => {
    const said = acceptWithdrawal(h(c.said), h(shared.device), await keyListOf(shared.keys));
    if (c.expect === "refused") await expect(said).rejects.toThrow(Rejected);
    else expect(await said).toBe(shared.time_at);
  });
  test("the server's time is read only when signed", async () => {
    const keys = await keyListOf(shared.keys);
    expect(await acceptTime(h(shared.time), keys)).toBe(shared.time_at);
    const changed = h(shared.time);
    changed[changed.length - 1] = (changed[changed.length - 1] ?? 0) ^ 1;
    await expect(acceptTime(changed, keys)).rejects.toThrow(Rejected);
  });
});

test("ES256 in script agrees with the browser, high s and low s alike", async () => {
  const { p256 } = await import("@noble/curves/nist.js");
  const message = utf8("lianfang");
  const { secretKey, publicKey } = p256.keygen(new Uint8Array(48).fill(7));
  const key = PublicKey.fromPoint(publicKey);
  const low = p256.sign(message, secretKey, { lowS: true }) as Bytes;
  const s = BigInt(`0x${hex(low.slice(32))}`);
  const high = new Uint8Array([...low.slice(0, 32), ...h((p256.Point.Fn.ORDER - s).toString(16).padStart(64, "0"))]);
  for (const signature of [low, high]) {
    expect(await key.verify(message, signature)).toBe(true);
    expect(verifyInScript(key.point, message, signature)).toBe(true);
  }
  low[40] = (low[40] ?? 0) ^ 1;
  expect(await key.verify(message, low)).toBe(false);
  expect(verifyInScript(key.point, message, low)).toBe(false);
});
