import { beforeEach, describe, expect, test, vi } from "vitest";
import { type Bytes, fromHex, hex, utf8 } from "../src/bytes";
import { verifyEd25519, verifyInScript } from "../src/chain/ed25519";
import { parseEntry } from "../src/chain/entry";
import { openCheckpoint, openNote, parseCheckpoint, VerifierKey } from "../src/chain/note";
import { called, continues, openOrgans, signerOf } from "../src/chain/organs";
import { Policy } from "../src/chain/policy";
import { fromQrText, verifyPaperProof, verifySheetText, verifyTlogProof } from "../src/chain/proof";
import { leafHash, rootFromInclusion, verifyConsistency } from "../src/chain/tree";
import { compareSeen, compareSheet, isSheet } from "../src/chain/sheets";
import { say, shown } from "../src/verifier/words";
import { vectors } from "./vectors";

const h = fromHex;

describe("signed notes", () => {
  const shared = vectors<{
    known: string[];
    good: { name: string; note: string; verified: string[]; times?: (number | null)[] }[];
    bad: { name: string; note: string }[];
    bad_vkeys: string[];
  }>("chain/notes.json");
  const known = shared.known.map((vkey) => VerifierKey.parse(vkey));

  test.each(shared.good)("opens: $name", async ({ note, verified, times }) => {
    const opened = await openNote(utf8(note), known);
    expect(opened.verified.map(({ key }) => key.name)).toEqual(verified);
    if (times) expect(opened.verified.map(({ at }) => at)).toEqual(times);
  });
  test.each(shared.bad)("refuses: $name", async ({ note }) => {
    await expect(openNote(utf8(note), known)).rejects.toThrow();
  });
  test.each(shared.bad_vkeys)("refuses the key %s", (vkey) => {
    expect(() => VerifierKey.parse(vkey)).toThrow();
  });
});

describe("checkpoints", () => {
  const shared = vectors<{
    log: string;
    good: { size: number; root: string; note: string }[];
    bad: { name: string; note: string }[];
  }>("chain/checkpoints.json");
  const log = VerifierKey.parse(shared.log);

  test.each(shared.good)("opens size $size", async ({ size, root, note }) => {
    const { checkpoint } = await openCheckpoint(utf8(note), log, []);
    expect([checkpoint.size, hex(checkpoint.root)]).toEqual([size, root]);
  });
  test.each(shared.bad)("refuses: $name", async ({ note }) => {
    await expect(openCheckpoint(utf8(note), log, [])).rejects.toThrow();
  });
  test("has exactly three lines", () => {
    expect(() => parseCheckpoint("a\n0\n")).toThrow();
  });
});

describe("the tree", () => {
  const inclusion = vectors<{
    good: { index: number; size: number; leaf_hash: string; root: string; path: string[] }[];
  }>("chain/inclusion.json");
  const consistency = vectors<{
    good: { old: number; new: number; old_root: string; new_root: string; path: string[] }[];
  }>("chain/consistency.json");

  test.each(inclusion.good)("proves leaf $index of $size, and no other path does", ({ index, size, leaf_hash, root, path }) => {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, index);
    const leaf = leafHash(bytes);
    expect(hex(leaf)).toBe(leaf_hash);
    const hashes = path.map(h);
    expect(hex(rootFromInclusion(leaf, index, size, hashes))).toBe(root);
    expect(() => rootFromInclusion(leaf, index, size, [...hashes, leaf])).toThrow();
    hashes.forEach((hash, i) => {
      const changed = hashes.map((other, j) => (i === j ? flipped(other) : other));
      expect(hex(rootFromInclusion(leaf, index, size, changed))).not.toBe(root);
      expect(() => rootFromInclusion(leaf, index, size, hashes.filter((other) => other !== hash))).toThrow();
    });
  });

  test.each(consistency.good)("proves that $old begins $new, and no other path does", (c) => {
    const path = c.path.map(h);
    const check = (hashes: Bytes[]) => verifyConsistency(c.old, c.new, h(c.old_root), h(c.new_root), hashes);
    expect(() => check(path)).not.toThrow();
    path.forEach((_, i) => expect(() => check(path.map((hash, j) => (i === j ? flipped(hash) : hash)))).toThrow());
    expect(() => check([...path, h(c.new_root)])).toThrow();
  });
});

describe("entries", () => {
  const shared = vectors<{
    organ: string;
    entries: { bytes: string; leaf_hash: string; view: Record<string, unknown> }[];
  }>("chain/entries.json");

  test.each(shared.entries)("reads $leaf_hash as the other side does", async ({ bytes, leaf_hash, view }) => {
    const entry = parseEntry(h(bytes));
    expect(hex(entry.leaf)).toBe(leaf_hash);
    expect({
      kind: entry.act.kind,
      organ: entry.act.organ,
      scope: entry.act.scope,
      basis: entry.act.basis,
      issued_at: entry.act.issuedAt,
      terms: Object.fromEntries(entry.act.terms),
      commitments: entry.act.commitments.map(hex),
      prior: entry.act.prior && hex(entry.act.prior),
      officer: hex(entry.act.officer),
    }).toEqual(
      Object.fromEntries(
        ["kind", "organ", "scope", "basis", "issued_at", "terms", "commitments", "prior", "officer"].map((k) => [k, view[k]]),
      ),
    );
  });
});

describe("paper proofs", () => {
  interface Good {
    name: string;
    proof: string;
    qr: string;
    index: number;
    size: number;
    root: string;
    leaf_hash: string;
    disclosed: Record<string, string | number>;
    seen: [string, number][];
    quorum: boolean;
    strict_quorum: boolean;
    tlog_proof: string;
  }
  const shared = vectors<{
    policy: string;
    strict_policy: string;
    good: Good[];
    bad: { name: string; proof: string }[];
    bad_qr: string[];
  }>("chain/paper.json");
  const policy = Policy.parse(shared.policy);
  const strict = Policy.parse(shared.strict_policy);

  test.each(shared.good)("verifies: $name", async (good) => {
    expect(hex(fromQrText(good.qr))).toBe(good.proof);
    const proved = await verifyPaperProof(h(good.proof), policy);
    expect(proved.index).toBe(good.index);
    expect(proved.checkpoint.size).toBe(good.size);
    expect(hex(proved.checkpoint.root)).toBe(good.root);
    expect(hex(proved.entry?.leaf ?? new Uint8Array())).toBe(good.leaf_hash);
    expect(Object.fromEntries(proved.disclosed.map((d) => [d.field, d.value]))).toEqual(good.disclosed);
    expect(proved.seen).toEqual(good.seen);
    expect(proved.quorum).toBe(good.quorum);
    expect((await verifyPaperProof(h(good.proof), strict)).quorum).toBe(good.strict_quorum);
    const byFile = await verifyTlogProof(utf8(good.tlog_proof), h(good.leaf_hash), policy);
    expect([byFile.index, byFile.checkpoint.size, byFile.quorum]).toEqual([good.index, good.size, good.quorum]);
    await expect(verifyTlogProof(utf8(good.tlog_proof), flipped(h(good.leaf_hash)), policy)).rejects.toThrow();
  });
  test.each(shared.bad)("refuses: $name", async ({ proof }) => {
    await expect(verifyPaperProof(h(proof), policy)).rejects.toThrow();
  });
  test.each(shared.bad_qr)("refuses the text %#", (text) => {
    expect(() => fromQrText(text)).toThrow();
  });
  test("changes of single bits are all refused", async () => {
    const proof = h(shared.good[0]?.proof ?? "");
    for (let at = 0; at < proof.length; at += 7) {
      const changed = new Uint8Array(proof);
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      await expect(verifyPaperProof(changed, policy), `byte ${at}`).rejects.toThrow();
    }
  });
  test("is the same without the browser's own Ed25519", async () => {
    const [log] = policy.logs;
    if (!log) throw new Error("no log");
    const message = utf8("x");
    const signature = new Uint8Array(64);
    expect(verifyInScript(log.publicKey, message, signature)).toBe(await verifyEd25519(log.publicKey, message, signature));
  });
});

describe("whose act an entry is", () => {
  const shared = vectors<{
    policy: string;
    organs: string;
    organs_listed: [string, number, string, string][];
    shorter_organs: string;
    good: { proof: string }[];
    bad_organs: { name: string; list: string }[];
    unknown_signer: string;
    wrong_signers: { name: string; entry: string }[];
    succession: { organs: string; entry: string; cases: [number, number | null][] };
    nested: { deepest: string; too_deep: string };
    shown: [string, string][];
  }>("chain/paper.json");
  const policy = Policy.parse(shared.policy);
  const listed = openOrgans(utf8(shared.organs), policy);

  test("is said by the list that the log signed", async () => {
    const { entry } = await verifyPaperProof(h(shared.good[0]?.proof ?? ""), policy);
    if (!entry) throw new Error("no entry");
    expect(await signerOf(entry, 5, await listed)).toMatchObject({ organ: { code: "cdc", index: 0 }, replaced: null });
    expect(await signerOf(parseEntry(h(shared.unknown_signer)), 9, await listed)).toBeNull();
  });
  test.each(shared.wrong_signers)("is refused: $name", async ({ entry }) => {
    await expect(signerOf(parseEntry(h(entry)), 9, await listed)).rejects.toThrow();
  });
  test("a key that was replaced vouches for nothing behind the announcement of the next", async () => {
    const longer = await openOrgans(utf8(shared.succession.organs), policy);
    const entry = parseEntry(h(shared.succession.entry));
    for (const [index, replaced] of shared.succession.cases) {
      const found = await signerOf(entry, index, longer);
      expect([found?.organ.index, found?.replaced?.index ?? null], `at ${index}`).toEqual([0, replaced]);
    }
  });
  test("groups stand within each other no deeper than is read", () => {
    expect(Policy.parse(shared.nested.deepest).metBy(new Set(["residents"]))).toBe(true);
    expect(() => Policy.parse(shared.nested.too_deep)).toThrow("too deep");
  });
  test("what others wrote is shown on one line", () => {
    for (const [text, onOneLine] of shared.shown) expect(shown(text)).toBe(onOneLine);
    expect(say("trust_change", "en", { day: "a\nb", name: "\u202ex", before: "y", index: 1 })).toBe("a⏎b: �x took the place of y (entry 1)");
  });
  test.each(shared.bad_organs)("no list: $name", async ({ list }) => {
    await expect(openOrgans(utf8(list), policy)).rejects.toThrow();
  });
  test("organs are called by the name that was announced, with the code behind it, else by the code", async () => {
    const found = await listed;
    expect(found.map(({ code, index, name, nameEn }) => [code, index, name, nameEn])).toEqual(shared.organs_listed);
    expect(found.map((organ) => called(organ, "zh"))).toEqual(["东区疾病预防控制中心（cdc）", "street-2", "禾木物业 三期（property）"]);
    expect(found.map((organ) => called(organ, "en"))).toEqual([
      "Disease control centre, East District (cdc)",
      "street-2",
      "禾木物业 三期 (property)",
    ]);
  });
  test("a list may be longer than another note, and no longer than that", async () => {
    const of = (length: number): Uint8Array => utf8(`${"x".repeat(length)}\n\n— x AAAAAAA=\n`);
    await expect(openOrgans(of(100_000), policy)).rejects.toThrow("no known key");
    await expect(openOrgans(of(140_000), policy)).rejects.toThrow("too long");
  });
  test("a list goes on with every line of the earlier one", async () => {
    const [organs, shorter] = await Promise.all([listed, openOrgans(utf8(shared.shorter_organs), policy)]);
    expect(continues(organs, shorter)).toBe(true);
    expect(continues(shorter, organs)).toBe(false);
  });
});

describe("checkpoints on board sheets", () => {
  const shared = vectors<{
    policy: string;
    sheets: { text: string; size: number; root: string }[];
    bad_sheets: string[];
    consistency: string;
    checkpoint_257: string;
    checkpoint_300: string;
  }>("chain/paper.json");
  const policy = Policy.parse(shared.policy);
  const [, sheet] = shared.sheets;
  if (!sheet) throw new Error("no sheet");
  const kept = new Map<string, string>();
  beforeEach(() => {
    kept.clear();
    vi.stubGlobal("localStorage", { getItem: (k: string) => kept.get(k) ?? null, setItem: (k: string, v: string) => kept.set(k, v) });
  });
  const server = (files: Record<string, string>) => (path: string) =>
    Promise.resolve(path in files ? utf8(files[path] ?? "") : null);
  const whole = { "checkpoint/257": shared.checkpoint_257, checkpoint: shared.checkpoint_300, "consistency/257/300": shared.consistency };
  const typed = `257 ${sheet.root.slice(0, 16).replace(/(.{4})/g, "$1 ")}`;

  test("are read", async () => {
    for (const { text, size, root } of shared.sheets) {
      expect(await verifySheetText(text, policy)).toMatchObject({ size, root: h(root) });
    }
    for (const text of shared.bad_sheets) await expect(verifySheetText(text, policy)).rejects.toThrow();
  });
  test.each([["scanned", sheet.text], ["typed", typed]])("consistent with what the server proves: %s", async (_, text) => {
    expect(isSheet(text)).toBe(true);
    const found = await compareSheet(text, policy, server(whole));
    expect(found).toMatchObject({ kind: "consistent", with: 300, by: ["residents", "property", "community"] });
  });
  test("not consistent when one letter differs", async () => {
    const other = `257 ${(sheet.root.startsWith("0") ? "1" : "0") + sheet.root.slice(1, 16)}`;
    expect((await compareSheet(other, policy, server(whole))).kind).toBe("fork");
  });
  test("not consistent when the trees do not lead from one to the other", async () => {
    const wrong = shared.consistency.replace(/^old 257\n.*\n/, (head) => head.replace(/[A-Za-z](?=[^\n]*\n$)/, (c) => (c === "A" ? "B" : "A")));
    expect(wrong).not.toBe(shared.consistency);
    expect((await compareSheet(sheet.text, policy, server({ ...whole, "consistency/257/300": wrong }))).kind).toBe("fork");
  });
  test("offline: alone at first, then compared with what this device has seen", async () => {
    expect((await compareSheet(sheet.text, policy, server({}))).kind).toBe("alone");
    expect((await compareSheet(typed, policy, server({}))).kind).toBe("consistent");
    expect((await compareSheet(`257 ${"ab".repeat(8)}`, policy, server({}))).kind).toBe("fork");
  });
  test("two papers with two roots of one size: the second is named a fork and not kept", async () => {
    const first = { size: 300, root: "aa".repeat(32), signed: true };
    const second = { size: 300, root: "bb".repeat(32), signed: true };
    expect((await compareSeen(first, policy, server({}))).kind).toBe("alone");
    for (let again = 0; again < 2; again++) {
      expect(await compareSeen(second, policy, server({}))).toMatchObject({ kind: "fork", sheet: second, other: first.root, against: "held" });
    }
    expect((await compareSeen(first, policy, server({}))).kind).toBe("consistent");
  });
  test("the served checkpoint is compared with a paper seen before, not only the sheet", async () => {
    await compareSeen({ size: 300, root: "aa".repeat(32), signed: true }, policy, server({}));
    expect(await compareSheet(sheet.text, policy, server(whole))).toMatchObject({ kind: "fork", sheet: { size: 300, root: "aa".repeat(32) }, against: "now" });
  });
  test("a captive portal proves nothing", async () => {
    const portal = { "checkpoint/257": "<html>", checkpoint: "<html>", "consistency/257/300": "<html>" };
    expect((await compareSheet(sheet.text, policy, server(portal))).kind).toBe("alone");
  });
  test.each(shared.bad_sheets.filter((text) => text.startsWith("LFK1:")))("unreadable: %#", async (text) => {
    expect((await compareSheet(text, policy, server(whole))).kind).toBe("unreadable");
  });
});

describe("policies", () => {
  const { policy } = vectors<{ policy: string }>("chain/paper.json");
  test.each([
    ["a second quorum", `${policy}\nquorum none`],
    ["no quorum", policy.replace(/^quorum.*$/m, "")],
    ["no log", policy.replace(/^log.*$/m, "")],
    ["an unknown line", `${policy}\nfoo bar`],
  ])("refuses %s", (_, text) => {
    expect(() => Policy.parse(text)).toThrow();
  });
});

function flipped(bytes: Bytes): Bytes {
  const out = new Uint8Array(bytes);
  out[0] = (out[0] ?? 0) ^ 1;
  return out;
}
