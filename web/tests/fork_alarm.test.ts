/** How often the board is asked for a fork, and what is known between its answers. */

import { beforeEach, expect, test, vi } from "vitest";
import { utf8 } from "../src/bytes";
import { forkKnown } from "../src/fork_alarm";

const FORK = '[{"code": "fork", "since": 1, "witness": "property"}]';
let asked = 0;

beforeEach(() => {
  asked = 0;
  const held = new Map<string, string>();
  vi.stubGlobal("localStorage", { getItem: (name: string) => held.get(name) ?? null, setItem: (name: string, value: string) => held.set(name, value) });
});

function known(now: number, said: string | null): Promise<boolean> {
  return forkKnown(now, (path) => {
    expect(path).toBe("alarms.json");
    asked += 1;
    return Promise.resolve(said === null ? null : utf8(said));
  });
}

test("the board is asked every ten minutes and not more often", async () => {
  const at = 1_581_600_000_000;
  expect(await known(at, "[]")).toBe(false);
  expect(await known(at + 599_999, FORK)).toBe(false);
  expect(asked).toBe(1);
  expect(await known(at + 600_000, FORK)).toBe(true);
  expect(await known(at + 600_001, "[]")).toBe(true);
  expect(asked).toBe(2);
  expect(await known(at + 1_200_000, "[]")).toBe(false);
  // A clock that was set back makes nobody wait for it.
  expect(await known(at - 86_400_000, FORK)).toBe(true);
});

test("without an answer it stays what it was, and is asked again", async () => {
  const at = 1_581_600_000_000;
  for (const nothing of [null, "<html>", "null"]) expect(await known(at, nothing)).toBe(false);
  expect(asked).toBe(3);
  expect(await known(at, FORK)).toBe(true);
  for (const nothing of [null, "<html>"]) expect(await known(at + 86_400_000, nothing)).toBe(true);
});

test("what is no answer of ours in the store counts for nothing", async () => {
  for (const nonsense of ["", "fork", "x fork", "NaN fork"]) {
    localStorage.setItem("lianfang-fork", nonsense);
    expect(await known(1_581_600_000_000, "[]")).toBe(false);
  }
  expect(asked).toBe(4);
});
