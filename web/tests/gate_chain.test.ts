import "fake-indexeddb/auto";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { ed25519 } from "@noble/curves/ed25519.js";
import { base64, type Bytes, concat, hex, utf8 } from "../src/bytes";
import { type Files, forkAtTheParties } from "../src/chain/alarms";
import { COSIGNATURE, ED25519, VerifierKey } from "../src/chain/note";
import { fingerprint } from "../src/chain/sheets";
import { type Fork, type Kept, lookAtChain, meetSheet, visitChain } from "../src/gate/chain";
import { GateStore } from "../src/gate/store";
import { vectors } from "./vectors";

const shared = vectors<{
  policy: string;
  sheets: { text: string; size: number; root: string }[];
  checkpoint_257: string;
  checkpoint_300: string;
  consistency: string;
}>("chain/paper.json");
const [sheet] = shared.sheets.filter(({ size }) => size === 257);
if (sheet === undefined) throw new Error("no sheet");

const first = { "policy.txt": shared.policy, checkpoint: shared.checkpoint_257, "checkpoint/257": shared.checkpoint_257 };
const later = {
  "policy.txt": shared.policy,
  checkpoint: shared.checkpoint_300,
  "checkpoint/257": shared.checkpoint_257,
  "consistency/257/300": shared.consistency,
};

function server(files: Record<string, string>): Files {
  return (path): Promise<Bytes | null> => Promise.resolve(path in files ? utf8(files[path] ?? "") : null);
}

describe("the chain as a gate saw it", () => {
  let store: GateStore;
  let number = 0;
  beforeEach(async () => {
    const kept = new Map<string, string>();
    vi.stubGlobal("localStorage", { getItem: (k: string) => kept.get(k) ?? null, setItem: (k: string, v: string) => kept.set(k, v) });
    store = await GateStore.open(`chain-${number++}`);
  });
  const sizes = async (): Promise<number[]> => ((await store.setting<Kept[]>("chainDays")) ?? []).map(({ size }) => size);

  test("one checkpoint a day is kept, and each grew out of the one before", async () => {
    expect(await lookAtChain(store, 1, server(first))).toBeNull();
    expect(await lookAtChain(store, 1, server(later))).toBeNull();
    expect(await sizes()).toEqual([300]);
    const quiet = { ...later, "checkpoint/300": shared.checkpoint_300 };
    expect(await lookAtChain(store, 2, server(quiet))).toBeNull();
    expect(await sizes()).toEqual([300, 300]);
    expect(await lookAtChain(store, 3, server({ ...quiet, checkpoint: shared.checkpoint_257 }))).toBeNull(); // an older view proves nothing
  });

  test("a sheet that was scanned here is no proof of what the server says now", async () => {
    await lookAtChain(store, 1, server(first));
    expect(await meetSheet(store, sheet.text, server({ checkpoint: shared.checkpoint_300, "checkpoint/257": shared.checkpoint_257 }))).toBe("alone");
    expect(await lookAtChain(store, 2, server({ checkpoint: shared.checkpoint_300, "checkpoint/257": shared.checkpoint_257 }))).toBeNull();
    expect(await sizes()).toEqual([257]);
    expect(await lookAtChain(store, 3, server(later))).toBeNull();
    expect(await sizes()).toEqual([257, 300]);
  });

  test("what is kept is the very checkpoint that was compared: it is asked for once", async () => {
    await lookAtChain(store, 1, server(first));
    const asked: string[] = [];
    const files = server(later);
    await lookAtChain(store, 2, (path) => files((asked.push(path), path)));
    expect(asked.filter((path) => path === "checkpoint")).toHaveLength(1);
    expect(await sizes()).toEqual([257, 300]);
  });

  test("another root under the size that is held is a fork, said for ever", async () => {
    await lookAtChain(store, 1, server(first));
    const kept = (await store.setting<Kept[]>("chainDays")) ?? [];
    await store.keepSetting("chainDays", kept.map((one) => ({ ...one, root: `ffff${one.root.slice(4)}` })));
    vi.stubGlobal("localStorage", { getItem: () => null, setItem: () => undefined });
    const fork = await lookAtChain(store, 2, server(later));
    expect(fork).toEqual({ held: expect.stringMatching(/^257 ffff[0-9a-f]{8}$/), told: `257 ${sheet.root.slice(0, 12)}`, said: false });
    expect(await lookAtChain(store, 3, server(later))).toEqual(fork);
    expect(await sizes()).toEqual([257]);
  });

  test("a tree that does not grow out of the one held is a fork", async () => {
    await lookAtChain(store, 1, server(first));
    const wrong = shared.consistency.replace(/^old 257\n.*\n/, (head) => head.replace(/[A-Za-z](?=[^\n]*\n$)/, (c) => (c === "A" ? "B" : "A")));
    expect(await lookAtChain(store, 2, server({ ...later, "consistency/257/300": wrong }))).not.toBeNull();
  });

  test("no network, a captive portal and another log are no answer", async () => {
    await lookAtChain(store, 1, server(first));
    const portal = Object.fromEntries(Object.keys(later).map((path) => [path, "<html>"]));
    const other = { ...later, checkpoint: shared.checkpoint_300.replace(/^[^\n]+/, "else.example/chain") };
    for (const files of [{}, portal, other]) expect(await lookAtChain(store, 2, server(files))).toBeNull();
    expect(await sizes()).toEqual([257]);
    expect(await store.setting<Fork>("chainFork")).toBeNull();
  });

  test("a board sheet is compared with what this gate holds", async () => {
    expect(await meetSheet(store, sheet.text, server({}))).toBe("alone"); // nothing is trusted yet
    await lookAtChain(store, 1, server(first));
    expect(await meetSheet(store, sheet.text, server(later))).toBe("consistent");
    expect(await meetSheet(store, sheet.text.slice(0, -3), server(later))).toBe("unreadable");
    expect(await store.setting<Fork>("chainFork")).toBeNull();
    expect(await meetSheet(store, `257 ${"ab".repeat(8)}`, server(later))).toBe("fork");
    expect((await store.setting<Fork>("chainFork"))?.held).toBe("257 abababababab");
  });
});

describe("a chain that was begun anew", () => {
  let store: GateStore;
  let number = 0;
  const kept = new Map<string, string>();
  beforeEach(async () => {
    kept.clear();
    vi.stubGlobal("localStorage", {
      getItem: (k: string) => kept.get(k) ?? null,
      setItem: (k: string, v: string) => kept.set(k, v),
      removeItem: (k: string) => kept.delete(k),
    });
    store = await GateStore.open(`anew-${number++}`);
  });

  interface Signer {
    readonly secret: Uint8Array;
    readonly key: VerifierKey;
  }
  function signer(name: string, type: number, seed: number): Signer {
    const secret = new Uint8Array(32).fill(seed);
    return { secret, key: new VerifierKey(name, type, ed25519.getPublicKey(secret) as Bytes) };
  }
  const vkey = ({ key }: Signer): string => `${key.name}+${hex(key.keyId)}+${base64(concat(new Uint8Array([key.type]), key.publicKey))}`;
  const names = ["residents", "property", "community"] as const;
  const witnesses = names.map((name, i) => signer(`old.example/${name}`, COSIGNATURE, 10 + i));
  const strangers = names.map((name, i) => signer(`old.example/${name}`, COSIGNATURE, 20 + i));
  const [old, anew] = [signer("old.example", ED25519, 1), signer("new.example", ED25519, 2)] as const;

  function policy(log: Signer, by: readonly Signer[]): string {
    return [`log ${vkey(log)} https://x`, ...by.map((w, i) => `witness ${names[i]} ${vkey(w)}`), `group three 2 ${names.join(" ")}`, "quorum three", ""].join("\n");
  }
  /** A tree of one entry, whose root is whatever hash it has. */
  function checkpoint(log: Signer, by: readonly Signer[], root = 7): string {
    const text = `${log.key.name}\n1\n${base64(new Uint8Array(32).fill(root))}\n`;
    const line = ({ key, secret }: Signer): string => {
      const at = new Uint8Array([0, 0, 0, 0, 94, 69, 77, 61]);
      const cosigned = key.type === COSIGNATURE;
      const raw = ed25519.sign(utf8(cosigned ? `cosignature/v1\ntime 1581600061\n${text}` : text), secret) as Bytes;
      return `\u2014 ${key.name} ${base64(concat(key.keyId, ...(cosigned ? [at] : []), raw))}`;
    };
    return `${text}\n${[log, ...by].map(line).join("\n")}\n`;
  }
  const first = { "policy.txt": policy(old, witnesses), checkpoint: checkpoint(old, witnesses) };
  const heldPolicy = (): Promise<string | null> => store.setting<string>("chainPolicy");

  test("is followed when a quorum of the witnesses pinned here has cosigned it, and only its log is taken", async () => {
    expect(await visitChain(store, 1, server(first))).toEqual({ which: "same", fork: null });
    await store.keepSetting("chainFork", { held: "1 07", told: "1 08", said: true });
    // The server's new trust file names strangers: of it the log alone is taken.
    const files = { "policy.txt": policy(anew, strangers), checkpoint: checkpoint(anew, witnesses.slice(0, 2), 9) };
    expect(await visitChain(store, 2, server(files))).toEqual({ which: "followed", fork: null });
    expect(await heldPolicy()).toBe(policy(anew, witnesses));
    expect(await store.setting<Kept[]>("chainDays")).toEqual([{ day: 2, size: 1, root: "09".repeat(32) }]);
    expect(await visitChain(store, 3, server({ ...files, "checkpoint/1": files.checkpoint }))).toEqual({ which: "same", fork: null });
  });

  test("is another one where too few of them, or others under their names, cosigned it; and the old fork stays said", async () => {
    await visitChain(store, 1, server(first));
    const fork = { held: "1 07", told: "1 08", said: true };
    await store.keepSetting("chainFork", fork);
    for (const by of [[], witnesses.slice(0, 1), strangers]) {
      const files = { "policy.txt": policy(anew, strangers), checkpoint: checkpoint(anew, by) };
      expect(await visitChain(store, 2, server(files))).toEqual({ which: "other", fork });
    }
    expect(await heldPolicy()).toBe(first["policy.txt"]);
  });

  test("is not seen in a captive portal, in half an answer, or in a checkpoint that its log did not sign", async () => {
    await visitChain(store, 1, server(first));
    const after = { "policy.txt": policy(anew, witnesses), checkpoint: checkpoint(anew, witnesses) };
    const forged = after.checkpoint.replace(/^(\u2014 new\.example .{20})./m, (line, head: string) => head + (line.endsWith("A") ? "B" : "A"));
    const portal = { "policy.txt": "<html>", checkpoint: "<html>" };
    for (const files of [portal, { checkpoint: after.checkpoint }, { "policy.txt": after["policy.txt"] }, { ...after, checkpoint: forged }]) {
      expect((await visitChain(store, 2, server(files))).which).toBe("same");
    }
    expect(await heldPolicy()).toBe(first["policy.txt"]);
  });

  test("has other roots under the same sizes, and what was remembered of the old one is no fork", async () => {
    kept.set("lianfang-verifier-roots", JSON.stringify({ 1: "07".repeat(32) })); // as an earlier version kept them
    await visitChain(store, 1, server({ ...first, "checkpoint/1": first.checkpoint }));
    expect(await meetSheet(store, fingerprint({ size: 1, root: "08".repeat(32) }), server({}))).toBe("fork");
    await store.keepSetting("chainFork", null);
    const files = { "policy.txt": policy(anew, witnesses), checkpoint: checkpoint(anew, witnesses, 9) };
    await visitChain(store, 2, server(files));
    expect(await meetSheet(store, fingerprint({ size: 1, root: "09".repeat(32) }), server({ ...files, "checkpoint/1": files.checkpoint }))).toBe("consistent");
  });
});

describe("what the witnesses found, as the server's board says it", () => {
  const board = (said: string): Promise<boolean | null> => forkAtTheParties(server({ "alarms.json": said }));

  test("a fork that is proved is told to the guard; what is only said, or another trouble, is not", async () => {
    expect(await board('[{"code": "fork", "since": 1, "witness": "property"}]')).toBe(true);
    expect(await board('[{"code": "no_quorum"}, {"code": "fork"}]')).toBe(true);
    for (const other of ["[]", '[{"code": "says_fork"}]', '[{"code": "no_quorum"}]', '["fork", null, 1]']) expect(await board(other)).toBe(false);
  });

  test("no answer, or one of a captive portal, changes nothing", async () => {
    expect(await forkAtTheParties(server({}))).toBeNull();
    for (const nonsense of ["", "<html>", '{"code": "fork"}', "null"]) expect(await board(nonsense)).toBeNull();
  });
});
