import "fake-indexeddb/auto";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { type Bytes, fromHex, hex } from "../src/bytes";
import { type Enrolment, GateStore, StoreTrouble } from "../src/gate/store";
import { guardOf } from "../src/gate/guards";
import { plainDoor } from "../src/gate/lookup";
import { Post, type Surroundings, TURNED_AWAY } from "../src/gate/post";
import { readInvitation } from "../src/gate/enrol";
import { stockOf } from "../src/gate/handover";
import { REASONS, reasonWords } from "../src/gate/reasons";
import { tuneOf } from "../src/gate/sound";
import { readCompound, readReceipts } from "../src/gate/sync";
import { exportFile } from "../src/gate/store";
import { characterOf } from "../src/gate/wedge";
import { quotaWords, WORDS } from "../src/gate/words";
import { encode, CborMap } from "../src/cbor";
import { acceptKeyList, type KeyList } from "../src/pass/keylist";
import { PublicKey } from "../src/pass/keys";
import { acceptReceipt, codeToKeep, encodeBatch, encodePassage, LONGEST_ROW, type Passage, rowsHash } from "../src/pass/passages";
import { AGES } from "../src/pass/evidence";
import type { RuleSet } from "../src/pass/rules";
import type { StoreRow } from "../src/pass/scan";
import { acceptList } from "../src/pass/statuslist";
import type { ShardState } from "../src/pass/statuslist";
import { vectors } from "./vectors";

const h = fromHex;
const scan = vectors<{
  keys: { root: string; root_thumbprint: string; list: string };
  uri: string;
  list: string;
  until: string;
  held_floor: number;
  cases: { name: string; texts: string[]; expect: { verdict: string } }[];
}>("pass/scan.json");
const NOON = 1_580_875_200;
const HOME = "m1k";

async function keyList(): Promise<KeyList> {
  return acceptKeyList(h(scan.keys.list), PublicKey.fromPoint(h(scan.keys.root)), h(scan.keys.root_thumbprint), null);
}

async function anEnrolment(device = "0190f3a57c0e7000800000000000d001"): Promise<Enrolment> {
  return {
    device: h(device),
    gate: h("0190f3a57c0e700080000000000006a7"),
    gateName: "云岭苑北门",
    compounds: [HOME],
    shards: [scan.uri],
    rootPoint: h(scan.keys.root),
    rootThumbprint: h(scan.keys.root_thumbprint),
    communityPhone: "19900000110",
    kind: "compound",
    deviceKey: (await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"])) as CryptoKeyPair,
    markKey: await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign"]),
  };
}

const LUO: StoreRow = {
  passNo: "1234567889",
  listUri: scan.uri,
  index: 4711,
  kind: "P",
  identity: { door: "5-2-603", memberNo: 1, initials: "LXM", birthYear: 1988 },
  endedAt: null,
};
const PASSAGE: Omit<Passage, "seq" | "gate"> = {
  at: NOON,
  inward: true,
  verdict: "ALLOW",
  reason: "OK",
  listVersion: 17,
  proof: "paper",
  cti: h("0102030405060708"),
  override: null,
  temperature: null,
  byHand: null,
  guard: null,
  rulesVersion: 0,
  code: null,
};

let store: GateStore;
let number = 0;
beforeEach(async () => {
  store = await GateStore.open(`test-${number++}`);
});

async function enrolled(): Promise<GateStore> {
  const enrolment = await anEnrolment();
  // CryptoKeys are not cloneable in node; the browser tests cover their storage.
  store.enrolment = () => Promise.resolve(enrolment);
  await store.db.put("device", h(scan.keys.list), "keys");
  return store;
}

describe("the store", () => {
  test("writes rows without a gap, however many are written at once", async () => {
    await enrolled();
    const keys = await keyList();
    const seqs = await Promise.all(Array.from({ length: 40 }, () => store.record(PASSAGE, keys, NOON)));
    expect([...seqs].sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    const batch = await store.nextBatch();
    expect([batch?.fromSeq, batch?.rows.length]).toEqual([1, 40]);
    expect(new Set(batch?.rows.map(hex)).size).toBe(40);
  });

  test("the highest number ever written rises with a row, and outlives its receipt and a reload", async () => {
    await enrolled();
    const keys = await keyList();
    expect(await store.lastSeq()).toBe(0);
    await store.record(PASSAGE, keys, NOON);
    await store.record(PASSAGE, keys, NOON, true); // held back, and written all the same
    expect(await store.lastSeq()).toBe(2);
    await store.db.clear("queue"); // what a receipt does
    store.db.close();
    store = await GateStore.open(`test-${number - 1}`);
    expect([await store.unsent(), await store.lastSeq()]).toEqual([0, 2]);
  });

  test("a row with a code is no reason to send too much at once, and one that a server refuses keeps nobody waiting", async () => {
    await enrolled();
    const keys = await keyList();
    const long = { ...PASSAGE, code: "x".repeat(1024) };
    for (let i = 0; i < 100; i++) await store.record(i % 2 === 0 ? long : PASSAGE, keys, NOON);
    const batches = await store.allBatches();
    expect(batches.map(({ rows }) => rows.length).reduce((a, b) => a + b)).toBe(100);
    expect(Math.max(...batches.map((batch) => encodeBatch(batch).length))).toBeLessThan(65_535);
    expect(batches.length).toBe(2);
    expect(await store.nextBatch()).toEqual(batches[0]);
    const longest = Math.max(...batches.flatMap(({ rows }) => rows.map((row) => row.length)));
    expect(longest).toBeGreaterThan(LONGEST_ROW);
    expect(longest).toBeLessThanOrEqual(1428);
    const short = await store.nextBatch(LONGEST_ROW);
    expect([short?.fromSeq, short?.rows.length]).toEqual([2, 1]);
  });

  test("two tabs never give one number to two rows", async () => {
    await enrolled();
    const other = await GateStore.open(`test-${number - 1}`);
    other.enrolment = store.enrolment;
    const keys = await keyList();
    const both = await Promise.all([store, other].flatMap((tab) => Array.from({ length: 10 }, () => tab.record(PASSAGE, keys, NOON))));
    expect(new Set(both).size).toBe(20);
    expect(await store.unsent()).toBe(20);
  });

  test("a row leaves only under a receipt that covers it", async () => {
    const shared = vectors<{
      keys: typeof scan.keys;
      device: string;
      rows: { seq: number; sealed: string }[];
      cases: { name: string; receipt: string; expect: string }[];
    }>("pass/receipts.json");
    await enrolled();
    const keys = await keyList();
    for (const row of shared.rows) await store.db.put("queue", h(row.sealed), row.seq);
    const batch = await store.nextBatch();
    if (batch === null) throw new Error("no batch");
    for (const c of shared.cases.filter((one) => one.expect === "does not cover")) {
      expect(await store.forget(batch, await acceptReceipt(h(c.receipt), keys)), c.name).toBe(false);
      expect(await store.unsent()).toBe(3);
    }
    const good = shared.cases.find((c) => c.expect === "covers");
    expect(await store.forget(batch, await acceptReceipt(h(good?.receipt ?? ""), keys))).toBe(true);
    expect(await store.unsent()).toBe(0);
  });

  test("a list is never replaced by an older one", async () => {
    const state: ShardState = { uri: scan.uri, version: 5, signedAt: NOON, bits: new Uint8Array(4), ends: new Map() };
    await store.keepShard(state);
    await expect(store.keepShard({ ...state, version: 5 })).rejects.toThrow(StoreTrouble);
    await expect(store.keepShard({ ...state, version: 4 })).rejects.toThrow(StoreTrouble);
    await store.keepShard({ ...state, version: 6 });
    expect((await store.shards()).map((s) => s.version)).toEqual([6]);
  });

  test("the floor never sinks", async () => {
    await store.heard(NOON, 3, NOON);
    expect((await store.heard(NOON - 100, null, null)).floor).toBe(NOON);
    expect(await store.clock()).toEqual({ floor: NOON, offset: 3, heardAt: NOON });
  });

  test("the compound is looked up by whole number or whole door with year", async () => {
    await store.keepCompound([LUO], "x");
    expect((await store.byNumber("1234567889"))?.identity.door).toBe("5-2-603");
    expect(await store.byNumber("12345678")).toBeNull();
    expect((await store.byDoor("5-2-603", 1988)).length).toBe(1);
    expect(await store.byDoor("5-2-60", 1988)).toEqual([]);
    expect(await store.byDoor("5-2-603", 1989)).toEqual([]);
    expect(await store.byDoor("", 1988)).toEqual([]);
  });

  test("enrolled again, the compound is asked for whole, and nobody is looked up in the list that is gone", async () => {
    // CryptoKeys are not cloneable in node.
    const enrolment = { ...(await anEnrolment()), deviceKey: null as never, markKey: null as never };
    await store.enrol(enrolment, h(scan.keys.list));
    await store.keepCompound([LUO], "x");
    expect(await store.byNumber("1234567889")).not.toBeNull();
    await store.enrol(enrolment, h(scan.keys.list));
    expect(await store.compoundTag()).toBeNull();
    expect(await store.byNumber("1234567889")).toBeNull();
  });

  test("no look-up waits while a list is written", async () => {
    await store.keepCompound([LUO], "x");
    const tx = store.db.transaction("compound", "readwrite");
    const busy = tx.store.clear();
    expect((await store.byNumber("1234567889"))?.identity.door).toBe("5-2-603");
    tx.abort();
    await Promise.allSettled([busy, tx.done]);
  });

  test("it is known since when nothing was sent, whatever is written meanwhile and after a restart", async () => {
    await enrolled();
    const keys = await keyList();
    expect(await store.unsentSince(NOON)).toBeNull();
    await store.record(PASSAGE, keys, NOON);
    expect(await store.unsentSince(NOON)).toBe(NOON);
    await store.record(PASSAGE, keys, NOON);
    const again = await GateStore.open(`test-${number - 1}`);
    expect(await again.unsentSince(NOON + 90_000)).toBe(NOON);
    expect(await store.unsentSince(NOON - 10)).toBe(NOON - 10);
    await store.db.delete("queue", 1);
    expect(await store.unsentSince(NOON + 90_000)).toBe(NOON + 90_000);
    await store.db.delete("queue", 2);
    expect(await store.unsentSince(NOON + 90_001)).toBeNull();
  });

  test("a pass is forgotten when no rule asks for it, and of too many those that were longest not shown", async () => {
    const DAY = 86_400;
    const mark = (lastAt: number, outs: number[] = []) => ({ outs, lastAt, lastText: "paper" });
    const kept = () => store.db.getAllKeys("marks");
    await store.keepMark("just shown", mark(NOON - 599));
    await store.keepMark("shown before", mark(NOON - 600));
    await store.keepMark("went out", mark(NOON - 31 * DAY, [NOON - 40 * DAY, NOON - 31 * DAY]));
    await store.keepMark("went out long ago", mark(NOON - 31 * DAY - 1, [NOON - 31 * DAY - 1]));
    await store.dropMarks(NOON);
    expect(await kept()).toEqual(["just shown", "went out"]);
    await store.dropMarks(NOON + 1);
    expect(await kept()).toEqual([]);

    for (let i = 0; i < 8; i++) await store.keepMark(`pass ${i}`, mark(NOON - i));
    await store.dropMarks(NOON, 5);
    expect(await kept()).toEqual([0, 1, 2, 3, 4].map((i) => `pass ${i}`));
  });

  test("a device that is withdrawn keeps its rows and what sends them, and nothing of anybody else, after a restart too", async () => {
    await enrolled();
    const keys = await keyList();
    await store.keepShard(await acceptList(h(scan.list), h(scan.until), scan.uri, keys, null));
    await store.keepCompound([LUO], '"c1"');
    await store.keepMark("a pass", { outs: [], lastAt: NOON, lastText: "paper" });
    await store.keepFile("rules", h("00"));
    await store.record(PASSAGE, keys, NOON);
    await store.withdraw();
    await store.keepMark("a pass after it", { outs: [], lastAt: NOON, lastText: "paper" });
    expect(await store.byNumber(LUO.passNo ?? "")).toBeNull();
    store.db.close();
    store = await GateStore.open(`test-${number - 1}`);
    await store.keepMark("a pass after a restart", { outs: [], lastAt: NOON, lastText: "paper" });
    const left = { shards: await store.db.count("shards"), compound: await store.db.count("compound"), marks: await store.db.count("marks") };
    expect(left).toEqual({ shards: 0, compound: 0, marks: 0 });
    expect([await store.file("rules"), await store.compoundTag()]).toEqual([null, null]);
    expect([await store.unsent(), await store.file("keys")]).toEqual([1, h(scan.keys.list)]);
  });

  test("signals are sealed, numbered by themselves, and leave only under a receipt", async () => {
    await enrolled();
    const keys = await keyList();
    await store.record(PASSAGE, keys, NOON);
    await store.db.add("signals", { kind: "help", at: NOON - 100, facts: { guard: "" } });
    await store.sealOldSignals(keys, NOON);
    await store.signal({ kind: "help", at: NOON, facts: { guard: "G-07" } }, keys, NOON);
    expect(await store.db.count("signals")).toBe(0);
    const { batch, waiting } = await store.signals(NOON - 60);
    expect([batch?.fromSeq, batch?.rows.length, waiting]).toEqual([1, 2, 1]);
    if (batch === null) throw new Error("no batch");
    const receipt = { device: batch.device, fromSeq: 1, toSeq: 2, rowsHash: rowsHash(batch.rows), signedAt: NOON };
    expect(await store.forgetSignals(batch, { ...receipt, toSeq: 1 })).toBe(false);
    expect(await store.forgetSignals(batch, receipt)).toBe(true);
    expect((await store.signals()).batch).toBeNull();
    expect(await store.unsent()).toBe(1);
  });

  test("a file of receipts deletes what it covers and no more", async () => {
    await enrolled();
    const keys = await keyList();
    for (let i = 0; i < 4; i++) await store.record(PASSAGE, keys, NOON);
    expect(exportFile((await store.allBatches()).map(encodeBatch)).length).toBeGreaterThan(500);
    const batch = await store.nextBatch();
    if (batch === null) throw new Error("no batch");
    const rows = batch.rows.slice(1, 3);
    const receipt = { device: batch.device, fromSeq: 2, toSeq: 3, rowsHash: rowsHash(rows), signedAt: NOON };
    for (const wrong of [{ device: new Uint8Array(16) }, { fromSeq: 1 }, { toSeq: 4 }, { toSeq: 1 }, { toSeq: 2 ** 40 }]) {
      expect(await store.forgetCovered({ ...receipt, ...wrong })).toBe(0);
    }
    expect(await store.forgetCovered(receipt)).toBe(2);
    expect(await store.forgetCovered(receipt)).toBe(0);
    expect(await store.db.getAllKeys("queue")).toEqual([1, 4]);
    const file = encode(new CborMap([[1, 1], [2, [new Uint8Array(3)]], [3, [[batch.device, [4]]]]]));
    expect(readReceipts(file).conflicts).toEqual([{ device: batch.device, seqs: [4] }]);
    for (const none of [exportFile([]), encode(new CborMap([[1, 1]])), new Uint8Array([1, 2, 3])]) {
      expect(() => readReceipts(none)).toThrow();
    }
  });
});

describe("the post", () => {
  let post: Post;
  let now = NOON;
  let rules: RuleSet | null = null;
  let failures: unknown[] = [];

  beforeEach(async () => {
    await enrolled();
    await store.keepCompound([LUO], "x");
    now = NOON;
    rules = null;
    const keys = await keyList();
    const shard = await acceptList(h(scan.list), h(scan.until), scan.uri, keys, null);
    const around: Surroundings = {
      compounds: new Set([HOME]),
      held: () => ({ keys, shards: new Map([[scan.uri, shard]]), floor: scan.held_floor, offset: 0, rules }),
      listVersion: () => 17,
      deviceTime: () => now,
      ticks: () => now * 1000,
      floorSeen: async () => undefined,
      recorded: () => undefined,
      changed: () => undefined,
      failed: (error) => failures.push(error),
    };
    failures = [];
    post = new Post(store, around);
  });

  const isolated = scan.cases.find((c) => c.name === "isolated, out of the own compound")?.texts[0] ?? "";
  const free = vectors<{ cases: { text?: string; pass?: { index: number } }[] }>("pass/codes.json").cases[0]?.text ?? "";

  const paper = scan.cases.find((c) => c.name === "free")?.texts[0] ?? "";

  test("ALLOW is on disk at once; the same code in view is one look", async () => {
    await post.scan(free, "scanner");
    expect(post.current?.outcome.decision.verdict).toBe("ALLOW");
    expect(post.current?.closed).toBe("passed");
    expect(await store.unsent()).toBe(1);
    for (let i = 0; i < 20; i++) await post.scan(free, i % 2 === 0 ? "scanner" : "camera");
    expect(await store.unsent()).toBe(1);
  });

  test("DENY waits for the guard, and is recorded as it stood when the next person comes", async () => {
    await post.setDirection(false);
    await post.scan(isolated, "scanner");
    expect(post.current?.outcome.decision.verdict).toBe("DENY");
    expect(post.current?.outcome.orderEnd).toBeGreaterThan(NOON);
    expect(await store.unsent()).toBe(0);
    await post.scan(free, "scanner");
    expect(await store.unsent()).toBe(2);
  });

  test("an override needs a reason to be one, and is one row", async () => {
    await post.setDirection(false);
    await post.scan(isolated, "scanner");
    await post.pass({ override: "就医取药" });
    await post.pass({ override: "就医取药" });
    expect(post.current?.closed).toBe("passed");
    expect(await store.unsent()).toBe(1);
  });

  test("going home under an order is never refused, whatever the direction said before", async () => {
    await post.setDirection(false);
    await post.scan(isolated, "scanner");
    expect(post.current?.outcome.decision.verdict).toBe("DENY");
    await post.setDirection(true);
    expect(post.current?.outcome.decision.verdict).toBe("ALLOW_REG");
  });

  test("a release slip scanned after the pass belongs to the same person", async () => {
    const slips = vectors<{ cases: { name: string; text?: string; slip?: { kind: string; end: number } }[] }>("pass/slips.json").cases;
    const release = slips.find((c) => c.slip?.kind === "R" && c.text !== undefined);
    now = (release?.slip?.end ?? 0) + 60;
    await post.setDirection(false);
    await post.scan(isolated, "scanner");
    const before = post.current?.outcome.situation;
    await post.scan(release?.text ?? "", "scanner");
    expect(post.current?.outcome.decision.reason).toBe("RELEASE_SLIP");
    expect(before?.slip).toBe("none");
  });

  test("a life exit is on disk before its word, and written even if the word never comes", async () => {
    await post.lifeExit();
    expect(post.current?.outcome.decision).toMatchObject({ verdict: "ALLOW_REG", reason: "LIFE_EXIT" });
    expect(await store.setting("pendingLifeExit")).not.toBeNull();
    const again = new Post(store, post.around);
    await again.resume();
    expect(await store.unsent()).toBe(1);
    expect(await store.setting("pendingLifeExit")).toBeNull();
  });

  test("a life exit with its word is one row", async () => {
    await post.lifeExit();
    await post.lifeExitWord("火灾");
    await post.lifeExitWord("地震");
    await post.next();
    expect(await store.unsent()).toBe(1);
  });

  test("a typed number is compared, not proof; a slip of the finger is caught", async () => {
    expect(await post.findByNumber("12345678-98")).toBe("not a number");
    expect(post.current).toBeNull();
    await post.setDirection(true);
    expect(await post.findByNumber("１２３４５６７８－８９")).toBe("shown");
    expect(post.current?.outcome.situation.proof).toBe("found");
    expect(post.current?.outcome.decision.verdict).toBe("ALLOW_REG");
  });

  test("a forgotten card: whole door and birth year; nobody else of the door is told", async () => {
    expect(await post.findByDoor("５-２-６０３", 1988)).toBe("shown");
    expect(await post.findByDoor("5-2-603", 1990)).toBe("not found");
    expect(post.current?.found).toBeNull();
    expect(post.current?.outcome.decision.verdict).toBe("CALL");
  });

  const TWIN: StoreRow = { ...LUO, passNo: "4000012378", index: 12, identity: { ...LUO.identity, memberNo: 2, initials: "LXY" } };

  test("of several at a door nobody is guessed: the order of one holds no other", async () => {
    await store.keepCompound([LUO, TWIN], "y");
    await post.setDirection(false);
    const looked = await post.findByDoor("5-2-603", 1988);
    expect(looked).toEqual({ among: [LUO, TWIN] });
    expect(post.current).toBeNull();
    await post.choose(TWIN);
    expect([post.current?.outcome.decision.verdict, post.current?.outcome.decision.reason]).toEqual(["ALLOW_REG", "NUMBER_ONLY"]);
    expect(post.current?.byHand).toEqual({ door: "5-2-603", birthYear: 1988, idSeen: false });
    await post.findByDoor("5-2-0603", 1988);
    await post.choose(LUO);
    expect(post.current?.outcome.decision.verdict).toBe("DENY");
    // Asked and chosen is one look-up.
    for (let i = 0; i < 28; i++) await post.findByDoor("9-9-999", 1950);
    expect(await post.findByDoor("5-2-603", 1988)).toBe("too many");
  });

  test("one person with several rows is one, and a pass that lasts comes before one that is over", async () => {
    const over = { ...TWIN, passNo: "1111111102", endedAt: NOON - 86_400 };
    const onPhone = { ...TWIN, passNo: null, index: 13 };
    await store.keepCompound([over, onPhone], "y");
    expect(await post.findByDoor("5-2-603", 1988)).toBe("shown");
    expect(post.current?.found?.index).toBe(13);
    await store.keepCompound([over], "z");
    expect(await post.findByDoor("5-2-603", 1988)).toBe("shown");
    expect(post.current?.outcome.decision).toEqual({ verdict: "ALLOW_REG", reason: "PASS_EXPIRED", notes: [] });
  });

  test("a withdrawn number is no way round the order of the same person", async () => {
    const withdrawn = { ...LUO, passNo: "4000012378", index: 3, endedAt: NOON - 86_400 };
    await post.setDirection(false);
    await store.keepCompound([withdrawn], "y");
    await post.findByNumber("40000123-78");
    expect(post.current?.outcome.decision).toEqual({ verdict: "ALLOW_REG", reason: "PASS_INVALID", notes: [] });
    await store.keepCompound([withdrawn, { ...LUO, passNo: null }], "z");
    await post.findByNumber("40000123-78");
    expect(post.current?.outcome.decision.verdict).toBe("DENY");
  });

  const orderSlip = scan.cases.find((c) => c.name === "order slip alone, into a compound")?.texts[0] ?? "";

  test.each([
    [true, "ALLOW_REG", "ORDER_HOMEWARD"],
    [false, "DENY", "ORDER_IN_FORCE"],
  ])("an order slip by itself: who lives here is let in to the own home, and not out (inward %s)", async (inward, verdict, reason) => {
    await post.setDirection(inward);
    await post.scan(orderSlip, "scanner");
    expect([post.current?.outcome.decision.verdict, post.current?.outcome.decision.reason]).toEqual([verdict, reason]);
    // Of somebody else who lives elsewhere the guard is told to ask, and nobody is turned away.
    await store.keepCompound([TWIN], "y");
    await post.setDirection(true);
    await post.next();
    await post.scan(orderSlip, "scanner");
    expect([post.current?.outcome.decision.verdict, post.current?.outcome.decision.reason]).toEqual(["CALL", "NO_PASS"]);
  });

  test("a slip that joins somebody's pass looks nobody up", async () => {
    await post.setDirection(false);
    await post.scan(isolated, "scanner");
    await post.scan(orderSlip, "scanner");
    expect(post.current?.texts.length).toBe(2);
    expect(post.current?.found).toBeNull();
  });

  test("a list of another street that is not here is no old list", async () => {
    await store.keepCompound([{ ...TWIN, listUri: "lf:s/510402999" }], "y");
    await post.findByNumber("40000123-78");
    expect(post.current?.outcome.listElsewhere).toBe(true);
    await store.keepCompound([TWIN], "z");
    await post.findByNumber("40000123-78");
    expect(post.current?.outcome.listElsewhere).toBe(false);
  });

  test("look-ups are capped at thirty an hour", async () => {
    for (let i = 0; i < 30; i++) expect(await post.findByDoor("9-9-999", 1950)).toBe("not found");
    expect(await post.findByDoor("5-2-603", 1988)).toBe("too many");
    now += 3601;
    expect(await post.findByDoor("5-2-603", 1988)).toBe("shown");
  });

  test("a paper pass twice within ten minutes is flagged, not blocked", async () => {
    const paper = vectors<{ cases: { text?: string }[] }>("pass/passes.json").cases[0]?.text ?? "";
    await post.setDirection(true);
    await post.scan(paper, "scanner");
    expect(post.current?.alreadyShown).toBe(false);
    const first = post.current?.outcome.decision.verdict;
    now += 60;
    await post.scan(paper, "scanner");
    expect(post.current?.alreadyShown).toBe(true);
    expect(post.current?.outcome.decision.verdict).toBe(first);
    now += 601;
    await post.scan(paper, "scanner");
    expect(post.current?.alreadyShown).toBe(false);
  });

  test("a high temperature counts when measured twice", async () => {
    await post.setDirection(true);
    await post.scan(isolated, "scanner");
    expect(await post.temperature(368)).toBe("normal");
    expect(await post.temperature(376)).toBe("again");
    expect(post.current?.outcome.situation.temperature).toBe("normal");
    expect(await post.temperature(375)).toBe("high");
    expect(post.current?.outcome.situation.temperature).toBe("high");
    expect(post.current?.temperature).toBe(375);
  });

  /** The rows as they stand on the disk, by number; sealed they cannot be read back. */
  function rowsWritten(): Map<number, Omit<Passage, "seq" | "gate">> {
    const rows = new Map<number, Omit<Passage, "seq" | "gate">>();
    const { record, amend } = store;
    store.record = async (row, ...rest) => {
      const seq = await record.call(store, row, ...rest);
      rows.set(seq, row);
      return seq;
    };
    store.amend = async (seq, row, ...rest) => {
      const done = await amend.call(store, seq, row, ...rest);
      if (done) rows.set(seq, row);
      return done;
    };
    return rows;
  }

  test.each([
    ["another place", "p9q", "CALL"],
    ["home", HOME, "ALLOW_REG"],
  ])("a temperature is measured where ALLOW closed by itself, decides again (into %s), and stands in the one row", async (_, compound, verdict) => {
    Object.assign(post.around, { compounds: new Set([compound]) });
    post.shift = { guard: "G-07", startedAt: NOON, counts: {} };
    const rows = rowsWritten();
    await post.scan(free, "scanner");
    expect(post.current?.closed).toBe("passed");
    expect(rows.get(1)).toMatchObject({ verdict: "ALLOW", temperature: null });
    const sealed = await store.db.get("queue", 1);
    // On disk, and not yet sent.
    expect([await store.unsent(), await store.nextBatch()]).toEqual([1, null]);
    post.measuring(true);
    expect(await post.temperature(376)).toBe("again");
    expect(await post.temperature(375)).toBe("high");
    expect(post.current).toMatchObject({ closed: null, temperature: 375 });
    expect(post.current?.outcome.decision).toMatchObject({ verdict, reason: "TEMPERATURE" });
    // A crash before the guard's tap leaves no row that says all was well.
    expect(rows.get(1)).toMatchObject({ verdict, reason: "TEMPERATURE", temperature: 375, override: null });
    expect(await store.nextBatch()).toBeNull();
    await post.pass(verdict === "CALL" ? { override: "就医取药" } : {});
    expect(rows.get(1)).toMatchObject({ verdict, temperature: 375, override: verdict === "CALL" ? "就医取药" : null });
    expect(rows.size).toBe(1);
    const batch = await store.nextBatch();
    expect(batch?.rows.length).toBe(1);
    expect(batch?.rows[0]).not.toEqual(sealed);
    expect(post.shift?.counts).toEqual({ ALLOW: 0, in: 1, [verdict]: 1, ...(verdict === "CALL" ? { override: 1 } : {}) });
    // What may have been sent is never written anew.
    expect(post.mayMeasure).toBe(false);
    const keys = await keyList();
    expect(await store.amend(1, PASSAGE, keys, NOON)).toBe(false);
  });

  test("the row of an ALLOW goes by itself after a moment, with the next person, on the way out at once; not while measured", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const sendable = async (): Promise<number> => (await store.nextBatch())?.rows.length ?? 0;
      await post.scan(free, "scanner");
      expect([post.mayMeasure, await sendable()]).toEqual([true, 0]);
      post.measuring(true);
      await vi.advanceTimersByTimeAsync(60_000);
      expect([post.mayMeasure, await sendable()]).toEqual([true, 0]);
      expect(await post.temperature(366)).toBe("normal");
      post.measuring(false);
      expect(post.current?.closed).toBe("passed");
      await vi.advanceTimersByTimeAsync(6_000);
      await vi.waitFor(async () => expect([post.mayMeasure, await sendable()]).toEqual([false, 1]));
      await post.scan(`${free}\r`, "scanner");
      expect(await sendable()).toBe(1);
      await post.next();
      expect(await sendable()).toBe(2);
      await post.scan(free, "scanner");
      await post.scan(isolated, "scanner");
      expect([post.mayMeasure, await sendable()]).toEqual([false, 3]);
      await post.setDirection(false);
      await post.scan(free, "scanner");
      expect([post.mayMeasure, await sendable()]).toEqual([false, 5]);
    } finally {
      vi.useRealTimers();
    }
  });

  test("a high temperature outlasts a turn of direction", async () => {
    await post.scan(isolated, "scanner");
    await post.temperature(376);
    await post.temperature(376);
    await post.setDirection(false);
    await post.setDirection(true);
    expect(post.current?.outcome.situation.temperature).toBe("high");
  });

  test("who is turned away against a verdict to let pass leaves a trace in the row; every other row is as before", async () => {
    post.shift = { guard: "G-07", startedAt: NOON, counts: {} };
    const rows = rowsWritten();
    await post.findByNumber("1234567889");
    expect(post.current?.outcome.decision.verdict).toBe("ALLOW_REG");
    await post.turned();
    await post.findByNumber("1234567889");
    await post.pass();
    await post.findByNumber("1234567889");
    await post.next();
    await post.setDirection(false);
    await post.scan(isolated, "scanner");
    expect(post.current?.outcome.decision.verdict).toBe("DENY");
    await post.turned();
    expect([...rows.values()].map((row) => [row.verdict, row.override])).toEqual([
      ["ALLOW_REG", TURNED_AWAY],
      ["ALLOW_REG", null],
      ["ALLOW_REG", null],
      ["DENY", null],
    ]);
    expect(post.shift?.counts).toEqual({ ALLOW_REG: 3, in: 3, turned: 1, DENY: 1, out: 1 });
  });

  const quota = { no: "DEMO-1", kind: "quota" as const, zones: [HOME], start: NOON - 86_400, end: NOON + 86_400, classes: "P", times: 1, window: 2 };
  const set = (acts: RuleSet["acts"]): RuleSet => ({ version: 1, issuedAt: NOON, expiresAt: NOON + 86_400, acts, feverTenths: 373, ages: AGES });

  test("a quota counts ways out only while its signed act is in force", async () => {
    rules = set([quota]);
    await post.setDirection(false);
    await post.scan(free, "scanner");
    expect(post.current?.outcome.decision.verdict).toBe("ALLOW");
    expect(post.current?.outcome.quota).toEqual({ left: 1, times: 1, days: 2 });
    now += 70;
    await post.next();
    await post.scan(free, "scanner");
    expect(post.current?.outcome.decision.reason).toBe("QUOTA_USED");
    expect(post.current?.outcome.quota).toEqual({ left: 0, times: 1, days: 2 });
    rules = set([{ ...quota, end: NOON - 1 }]);
    now += 5;
    await post.scan(`${free}\r`, "scanner");
    expect(post.current?.outcome.decision.verdict).toBe("ALLOW");
    expect(post.current?.outcome.quota).toBeNull();
  });

  test("of two quotas each counts in its own window, and the tighter one is told", async () => {
    // At midnight the window of one day begins anew, that of seven does not.
    rules = set([{ ...quota, times: 1, window: 1 }, { ...quota, no: "DEMO-2", times: 2, window: 7 }]);
    await post.setDirection(false);
    for (const [hours, left, reason] of [[0, 1, "OK"], [13, 1, "OK"], [14, 0, "QUOTA_USED"]] as const) {
      now = NOON + hours * 3600;
      await post.scan(paper, "scanner");
      expect(post.current?.outcome.decision.reason).toBe(reason);
      expect(post.current?.outcome.quota?.left).toBe(left);
      await post.next();
    }
  });

  test("nothing is said of a quota on the way in, of another class, or of a pass that is not remembered in time", async () => {
    rules = set([quota]);
    await post.scan(free, "scanner");
    expect(post.current?.outcome.quota).toBeNull();
    await post.next();
    await post.setDirection(false);
    rules = set([{ ...quota, classes: "W" }]);
    await post.scan(free, "scanner");
    expect(post.current?.outcome.quota).toBeNull();
    await post.next();
    rules = set([quota]);
    store.mark = () => new Promise(() => undefined);
    await post.scan(free, "scanner");
    expect(post.current?.outcome.decision.verdict).toBe("ALLOW");
    expect(post.current?.outcome.quota).toBeNull();
  });

  test("what a quota leaves is told for the window, this way out counted", () => {
    const words = (left: number, times: number, days: number): string[] => [quotaWords({ left, times, days }, "zh"), quotaWords({ left, times, days }, "en")];
    expect(words(2, 3, 2)).toEqual(["这 2 天可出 3 次，此次后剩 1 次", "After this 1 of 3 left in this 2-day window"]);
    expect(words(0, 1, 1)).toEqual(["今天可出 1 次，已用完", "0 of 1 left in this 1-day window"]);
  });

  test("the code that could not be trusted is in its row, and no other row carries one", async () => {
    const rows = rowsWritten();
    const forged = `${free.slice(0, -2)}00`;
    await post.scan(forged, "scanner");
    expect(post.current?.outcome.decision).toMatchObject({ verdict: "CALL", reason: "SIGNATURE_BAD" });
    await post.turned();
    await post.next();
    await post.scan(free, "scanner");
    await post.findByNumber("1234567889");
    await post.pass();
    await post.lifeExit();
    await post.next();
    await post.nothingShown();
    await post.next();
    // The same person's number was typed: it is known who that is, and the code says nothing more.
    await post.scan(forged, "scanner");
    await post.findByNumber("1234567889");
    expect(post.current?.outcome).toMatchObject({ bad: forged, situation: { proof: "found" } });
    await post.pass();
    expect([...rows.values()].map((row) => row.code)).toEqual([forged, null, null, null, null, null]);
    expect(encodePassage({ ...PASSAGE, seq: 1, gate: new Uint8Array(16), code: forged }).length).toBeGreaterThan(forged.length);
  });

  test("of a code 1,024 bytes are kept, in whole characters and in the form that the other side reads", () => {
    expect(codeToKeep("")).toBeNull();
    expect(codeToKeep("A".repeat(3000))).toBe("A".repeat(1024));
    expect(codeToKeep("码".repeat(500))).toBe("码".repeat(341));
    expect(codeToKeep("e\u0301\ud800")).toBe("\u00e9\ufffd");
  });

  test("a list is called old after the hours that the rule set says", () => {
    expect(reasonWords("LIST_OLD", AGES, "zh")).toBe(REASONS.LIST_OLD.zh);
    const ages = { day: 12 * 3600, old: 48 * 3600 };
    expect(reasonWords("LIST_DAY_OLD", ages, "zh")).toBe("名单已超过 12 小时未更新");
    expect(reasonWords("LIST_OLD", ages, "en")).toBe("The list is older than 48 hours");
    expect(reasonWords("OK", ages, "en")).toBe("Valid");
  });

  test("a code scanned again after the next person was called for is a look of its own, in whatever second", async () => {
    await post.scan(free, "scanner");
    await post.next();
    await post.scan(free, "scanner");
    expect(post.current?.outcome.decision.verdict).toBe("ALLOW");
    expect(await store.unsent()).toBe(2);
  });

  test("a card that was not taken away is said to be there still, and is a look again once it was away", async () => {
    await post.scan(free, "camera");
    await post.next();
    now += 2;
    await post.scan(free, "camera");
    now += 2;
    await post.scan(free, "camera");
    expect(post.current).toBeNull();
    expect(post.stillThere).toBe(true);
    now += 3;
    await post.scan(free, "camera");
    expect(post.current?.outcome.decision.verdict).toBe("ALLOW");
    expect(post.stillThere).toBe(false);
    expect(await store.unsent()).toBe(2);
  });

  test("a verdict stands a second before the camera takes the next card; the one that lies there is no new look", async () => {
    const [other = ""] = scan.cases.find((c) => c.name === "isolated, out of the own compound")?.texts ?? [];
    await post.scan(free, "camera");
    await post.scan(other, "camera");
    expect(post.current?.outcome.decision.verdict).toBe("ALLOW");
    now += 2;
    await post.setDirection(false);
    await post.scan(other, "camera");
    expect(post.current?.outcome.decision.verdict).toBe("DENY");
    await post.scan(free, "scanner");
    now += 2;
    await post.scan(other, "camera");
    expect(post.current?.outcome.decision.verdict).toBe("ALLOW");
  });

  test("a clock set back silences no code", async () => {
    const ticks = post.around.ticks;
    const tick = ticks() + 60_000;
    await post.scan(free, "camera");
    now -= 86_400;
    Object.assign(post.around, { ticks: () => tick });
    await post.scan(free, "camera");
    expect(post.current?.outcome.decision).toMatchObject({ verdict: "ALLOW_REG", reason: "CLOCK_IN_DOUBT" });
  });

  test("a disk that fails or hangs keeps no verdict back", async () => {
    await post.setDirection(false);
    store.mark = () => new Promise(() => undefined);
    store.record = () => Promise.reject(new Error("disk full"));
    const began = performance.now();
    await post.scan(free, "scanner");
    expect(post.current?.outcome.decision.verdict).toBe("ALLOW");
    expect(post.current?.written).toBe(false);
    await post.scan(isolated, "scanner");
    expect(post.current?.outcome.decision.verdict).toBe("DENY");
    store.byNumber = () => new Promise(() => undefined);
    await post.findByNumber("12345678-89");
    expect(post.current?.outcome.decision.verdict).toBe("CALL");
    expect(performance.now() - began).toBeLessThan(900);
    expect(failures.map(String)).toContain("Error: disk full");
  });

  test("no text stops the post", async () => {
    for (const text of ["", "x", "LF1:", "LF1:%%%", "\u0000", "LF1:" + "0".repeat(5000), "微信"]) {
      await post.scan(text, "scanner");
      expect(post.current?.outcome.decision.verdict).toBe("CALL");
    }
  });
});

describe("small things", () => {
  test("CALL and DENY sound the same", () => {
    expect(tuneOf("DENY")).toEqual(tuneOf("CALL"));
    expect(tuneOf("DENY")).not.toEqual(tuneOf("ALLOW"));
  });

  test("the words of the reasons are those of the shared table", () => {
    const { reasons } = vectors<{ reasons: unknown }>("verdicts.json");
    expect(REASONS).toEqual(reasons);
  });

  test("what is left at the post is said in whole numbers, or not at all", () => {
    expect(stockOf({ issues: "0", masks: "", thermometer: "" })).toEqual({ issues: 0 });
    expect(stockOf({ issues: " ２ ", masks: "150", thermometer: "0" })).toEqual({ issues: 2, masks: 150, thermometer: 0 });
    for (const wrong of ["-1", "1.5", "many", "12345"]) expect(stockOf({ issues: "0", masks: wrong })).toBeNull();
  });

  test("a guard's number is the list's, however it is typed; without a list any is taken", () => {
    const listed = ["K7QXZA", "M2RTPC"];
    expect(guardOf(" k7qxza ", listed)).toBe("K7QXZA");
    expect(guardOf("Ｍ２ＲＴＰＣ", listed)).toBe("M2RTPC");
    expect(guardOf("K7QXZ", listed)).toBeNull();
    expect(guardOf("K7QXZ", [])).toBe("K7QXZ");
    expect(guardOf("x".repeat(30), [])).toHaveLength(24);
  });

  test("every word is said in both languages, and DENY asks to step aside", () => {
    for (const words of Object.values(WORDS)) for (const word of words) expect(word.length).toBeGreaterThan(0);
    expect(WORDS.DENY).toEqual(["劝返", "Please step aside"]);
  });

  test.each([
    [{ key: "Process", code: "KeyL", shiftKey: true }, "L"],
    [{ key: "Process", code: "KeyL", shiftKey: false }, "L"],
    [{ key: "Process", code: "Digit4", shiftKey: true }, "$"],
    [{ key: "Process", code: "Digit5", shiftKey: true }, "%"],
    [{ key: "Process", code: "Semicolon", shiftKey: true }, ":"],
    [{ key: "：", code: "Semicolon", shiftKey: true }, ":"],
    [{ key: "。", code: "Period", shiftKey: false }, "."],
    [{ key: "a", code: "KeyA", shiftKey: false }, "A"],
    [{ key: "%", code: "Digit5", shiftKey: true }, "%"],
    [{ key: " ", code: "Space", shiftKey: false }, " "],
    [{ key: "Shift", code: "ShiftLeft", shiftKey: true }, null],
  ])("a scanner's key %o is %s, also with a Chinese input method open", (event, character) => {
    expect(characterOf(event)).toBe(character);
  });

  test.each([...vectors<{ cases: [string, string][] }>("doors.json").cases, ["", ""], [" 5–2–603 ", "5-2-0603"]] as [string, string][])(
    "the door %s is that of the roster",
    (typed, door) => {
      expect(plainDoor(typed)).toBe(door);
    },
  );

  test("an enrolment link says code, root and gate, or it is none", () => {
    expect(readInvitation("https://x.example/gate/")).toBeNull();
    expect(readInvitation("https://x.example/gate/#enrol=AAAA")).toBeNull();
  });

  test("one wrong row refuses the whole compound list", () => {
    const row = (n: string): (string | number | null)[] => [n, scan.uri, 1, "P", "1-1-101", 1, "WDF", 1939];
    const body = (rows: (string | number | null)[][]): Bytes => encode(new CborMap([[1, 1], [2, rows]]));
    expect(readCompound(body([row("40000123-78")])).length).toBe(1);
    expect(() => readCompound(body([row("40000123-78"), row("40000123-79")]))).toThrow();
  });

  test("residents without a card and passes that are over are read strictly, kept and looked up", async () => {
    type Cell = string | number | null;
    const body = (residents: Cell[][], ended: Cell[][]): Bytes =>
      encode(new CborMap([[1, 1], [2, []], [3, residents], [4, ended]]));
    const phone: Cell[] = ["3-1-0101", 1, "WDF", 1939, scan.uri, 12, "P"];
    const nothing: Cell[] = ["3-1-0101", 2, "HGY", 1941, null, null, "P"];
    const over: Cell[] = ["40000123-78", scan.uri, 1, "P", "1-1-0101", 1, "WDF", 1939, NOON];
    await store.keepCompound(readCompound(body([phone, nothing], [over])), "x");
    const again = await GateStore.open(store.db.name);
    for (const kept of [store, again]) {
      expect((await kept.byDoor("3-1-101", 1939)).map(({ passNo, index, endedAt }) => [passNo, index, endedAt])).toEqual([[null, 12, null]]);
      expect((await kept.byDoor("3-1-101", 1941)).map(({ listUri, index }) => [listUri, index])).toEqual([[null, null]]);
      expect((await kept.byNumber("4000012378"))?.endedAt).toBe(NOON);
    }
    for (const wrong of [phone.slice(1), [...phone.slice(0, 4), null, 12, "P"], [...phone.slice(0, 6), "Q"]]) {
      expect(() => readCompound(body([wrong], []))).toThrow();
    }
    expect(() => readCompound(body([], [over.slice(0, 8)]))).toThrow();
  });
});
