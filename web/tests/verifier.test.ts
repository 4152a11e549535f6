import { beforeEach, describe, expect, test } from "vitest";
import { fromHex, utf8 } from "../src/bytes";
import { verifyEvidence } from "../src/chain/evidence";
import { ends, laterThan } from "../src/chain/later";
import { NotSigned, UnknownWitness } from "../src/chain/note";
import { Policy } from "../src/chain/policy";
import { fromQrText, verifyPaperProof } from "../src/chain/proof";
import { verifyReadingProof } from "../src/chain/reading";
import { vouched } from "../src/chain/vouched";
import { checkFiles, checkText, codeText, policyText } from "../src/verifier/check";
import type { Trust } from "../src/verifier/policy_file";
import { day, kindWords } from "../src/verifier/words";
import { vectors } from "./vectors";

type ByFile = ("unknown" | [boolean, number | null])[];
const moved = vectors<{
  policies: [string, string, string];
  unsaid: string;
  papers: {
    name: string;
    qr: string;
    by_file: ByFile;
    entry: string;
    tlog_proof: string;
    tlog_by_file: ByFile;
  }[];
  proofs: Record<string, string>;
  not_vouched: { name: string; policy: string; proofs: Record<string, string> }[];
  bad_policies: { name: string; policy: string }[];
}>("chain/moved.json");
const paper = vectors<{ policy: string; good: { name: string; qr: string }[]; bad: { name: string; proof: string }[] }>("chain/paper.json");
const readings = vectors<{ good: string; reading: Record<string, unknown>; bad: { name: string; proof: string }[] }>("chain/readings.json");
const evidence = vectors<{ good: { name: string; file: string; sizes: number[] }[]; bad: { name: string; file: string }[] }>("chain/evidence.json");

function trust(text: string, earlier: Trust["earlier"] = []): Trust {
  return { policy: Policy.parse(text), text, organs: null, until: null, changedTo: null, organsBroken: null, earlier };
}

describe("trust files of witnesses that moved", () => {
  const files = moved.policies.map((text) => Policy.parse(text));

  test.each(moved.papers)("judge by who was in office: $name", async ({ qr, by_file }) => {
    for (const [n, policy] of files.entries()) {
      const expected = by_file[n];
      const work = verifyPaperProof(fromQrText(qr), policy);
      if (expected === "unknown") await expect(work).rejects.toThrow(UnknownWitness);
      else {
        const { quorum, changed } = await work;
        expect([quorum, changed?.index ?? null]).toEqual(expected);
      }
    }
  });

  test.each(moved.papers)("judge its proof file: $name", async ({ entry, tlog_proof, tlog_by_file }) => {
    for (const [n, text] of moved.policies.entries()) {
      const expected = tlog_by_file[n];
      const said = await checkFiles(utf8(tlog_proof), fromHex(entry), trust(text));
      if (expected === "unknown") expect(said).toMatchObject({ kind: "failed", why: "older_list" });
      else expect(said).toMatchObject({ kind: "proved", proved: { quorum: expected?.[0] } });
    }
  });

  test("are derived from the newest as they were", () => {
    const last = files[2];
    expect(last?.changes.map(({ index }) => last.at(index).content)).toEqual([files[0]?.content, files[1]?.content]);
    expect(last?.at(8)).toBe(last);
  });

  test.each(moved.bad_policies)("refused: $name", ({ policy }) => {
    expect(() => Policy.parse(policy)).toThrow();
  });

  test("an unknown witness is an older file, never a wrong signature; a wrong one stays wrong", async () => {
    const late = moved.papers.find(({ name }) => name === "behind both, by who came")?.qr ?? "";
    expect(await checkText(late, trust(moved.policies[0]))).toMatchObject({ kind: "failed", why: "older_list" });
    expect(await checkText(late, trust(moved.policies[2]))).toMatchObject({ kind: "proved", proved: { quorum: true } });
    const came = moved.papers.find(({ name }) => name === "the first with it, by who came")?.qr ?? "";
    expect(await checkText(came, trust(moved.not_vouched[0]?.policy ?? ""))).toMatchObject({ kind: "failed", why: "not_signed" });
    const both = paper.bad.find(({ name }) => name.endsWith("a wrong one behind it"))?.proof ?? "";
    const refused = verifyPaperProof(fromHex(both), Policy.parse(paper.policy));
    await expect(refused).rejects.toThrow(NotSigned);
    await expect(refused).rejects.not.toThrow(UnknownWitness);
  });
});

describe("a newer trust file", () => {
  const [first, second, last] = moved.policies.map((text) => Policy.parse(text)) as [Policy, Policy, Policy];
  const served = (proofs: Record<string, string>) => (index: number) => Promise.resolve(proofs[String(index)] ?? null);

  test("is vouched for by the parties of the one before, step by step", async () => {
    expect((await vouched(last, first, served(moved.proofs)))?.map(({ index }) => index)).toEqual([5, 7]);
    expect((await vouched(last, second, served(moved.proofs)))?.map(({ index }) => index)).toEqual([7]);
    // A file from before changes were written down has the lines already.
    expect((await vouched(second, Policy.parse(moved.unsaid), served(moved.proofs)))?.length).toBe(1);
  });

  test.each(moved.not_vouched)("is not: $name", async ({ policy, proofs }) => {
    expect(await vouched(Policy.parse(policy), first, served(proofs))).toBeNull();
  });

  test("is not without network, nor the older one in place of the newer", async () => {
    expect(await vouched(last, first, served({}))).toBeNull();
    expect(await vouched(first, last, served(moved.proofs))).toBeNull();
  });
});

describe("the proof of a reading", () => {
  const policy = Policy.parse(paper.policy);

  test("says who looked at what, under a digest of the chain", async () => {
    const { reading, proved } = await verifyReadingProof(readings.good, policy);
    expect({ ...reading, number: Number(reading.number) }).toEqual(readings.reading);
    expect(proved.quorum).toBe(true);
  });
  test.each(readings.bad)("refused: $name", async ({ proof }) => {
    await expect(verifyReadingProof(proof, policy)).rejects.toThrow();
  });
  test("is taken as a file and as pasted text", async () => {
    for (const text of [readings.good, codeText(utf8(readings.good)) ?? "", `\n${readings.good.trim()}`]) {
      expect(await checkText(text, trust(paper.policy))).toMatchObject({ kind: "proved", reading: { number: "41" } });
    }
    for (const { name, proof } of readings.bad) {
      // Space around it is cut off, so this is the good one again.
      if (name === "no line feed at the end") continue;
      expect((await checkText(proof, trust(paper.policy))).kind, name).toBe("failed");
    }
  });
});

describe("evidence of a fork", () => {
  const policy = Policy.parse(paper.policy);

  test.each(evidence.good)("$name", async ({ file, sizes }) => {
    const { smaller, larger } = await verifyEvidence(file, policy);
    expect([smaller.size, larger.size]).toEqual(sizes);
    expect(await checkText(codeText(utf8(file)) ?? "", trust(paper.policy))).toMatchObject({ kind: "forked" });
  });
  test.each(evidence.bad)("refused: $name", async ({ file }) => {
    await expect(verifyEvidence(file, policy)).rejects.toThrow();
    expect((await checkText(file, trust(paper.policy))).kind).toBe("failed");
  });
});

describe("a chain that has ended", () => {
  const other = paper.policy.replace(/^log \S+/m, "log other.example/log+f2ff1c3d+x");
  test("its papers hold under the file that was kept, and say so", async () => {
    const next = trust(otherLog(), [{ policy: Policy.parse(paper.policy), text: paper.policy, organs: null, until: "2020-03-01" }]);
    const good = paper.good[0]?.qr ?? "";
    expect(await checkText(good, next)).toMatchObject({ kind: "proved", under: { until: "2020-03-01" } });
    expect(await checkText(good, trust(otherLog()))).toMatchObject({ kind: "failed", why: "not_signed" });
    expect(policyText(utf8(other))).toBeNull();
    expect(policyText(utf8(paper.policy))).toBe(paper.policy);
  });
});

/** The same witnesses, another log: the key of an organ will do. */
function otherLog(): string {
  const organs = vectors<{ organs: string }>("chain/paper.json").organs;
  return paper.policy.replace(/^log \S+/m, `log ${/^organ cdc (\S+)/m.exec(organs)?.[1] ?? ""}`);
}

describe("what came later", () => {
  const policy = Policy.parse(paper.policy);
  const entries = vectors<{ entries: { bytes: string; leaf_hash: string }[] }>("chain/entries.json").entries;
  let asked: string[] = [];
  beforeEach(() => {
    asked = [];
  });
  const answers = (answer: unknown) => (path: string) => {
    asked.push(path);
    return Promise.resolve(answer);
  };
  // Entry 5 of the vectors names entry 0 as its prior.
  const first = paper.good.find(({ name }) => name === "the only entry")?.qr ?? "";
  const fifth = paper.good[0]?.qr ?? "";
  const entryOf = async (qr: string) => {
    const { entry } = await verifyPaperProof(fromQrText(qr), policy);
    if (entry === null) throw new Error("no entry");
    return entry;
  };
  const said = { index: 5, kind: "orders:order:lifted", at: 1, proof: fifth };

  test("is asked by who holds the entry, and checked by its own proof", async () => {
    const later = await laterThan(await entryOf(first), policy, answers({ size: 9, later: [said] }));
    expect(asked[0]?.startsWith(`later/${entries[0]?.leaf_hash ?? ""}/`)).toBe(true);
    // What the proof says counts, not what the server says beside it.
    expect(later?.entries).toMatchObject([{ kind: "orders:isolation:issued", proof: fifth, proved: { index: 5 } }]);
    expect(later?.size).toBe(9);
    expect(ends("orders:isolation:issued") && ends("orders:order:lifted") && !ends("orders:appeal:raised")).toBe(true);
  });
  test.each([
    ["an entry that names another", fifth, { ...said, proof: fifth }],
    ["no proof", first, { ...said, proof: null }],
    ["a proof that is none", first, { ...said, proof: fifth.slice(0, -6) }],
  ])("is the server's word alone with %s", async (_, qr, one) => {
    const later = await laterThan(await entryOf(qr), policy, answers({ size: 9, later: [one] }));
    expect(later?.entries).toEqual([{ kind: "orders:order:lifted", at: 1, proved: null, proof: null }]);
  });
  test("is not known where the server does not answer as it should", async () => {
    const entry = await entryOf(first);
    for (const answer of [null, [], {}, { size: "9", later: [] }, { size: 9 }, { size: 9, later: [1] }, "<html>"]) {
      expect(await laterThan(entry, policy, answers(answer))).toBeNull();
    }
    expect(await laterThan(entry, policy, answers({ size: 9, later: [] }))).toEqual({ size: 9, entries: [] });
  });
});

test("days and kinds are said in both languages", () => {
  expect([day("2020-02-15", "zh"), day("2020-02-15", "en"), day("x", "en")]).toEqual(["2020年2月15日", "15 February 2020", "x"]);
  expect(kindWords("orders:order:lifted", "en")).toContain("order lifted");
});
