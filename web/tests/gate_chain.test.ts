import "fake-indexeddb/auto";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { type Bytes, utf8 } from "../src/bytes";
import { type Files, type Fork, type Kept, lookAtChain, meetSheet } from "../src/gate/chain";
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
