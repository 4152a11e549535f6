/**
 * The chain as this gate saw it (docs/gates.md, "The chain"): the last checkpoint is kept, and each later one must grow
 * out of it. A log that tells its gates another story than the parties is found out here, without anybody's doing.
 *
 * The trust file is pinned at the first contact; another log's checkpoint is no answer. Where the chain was begun anew
 * (chain.md, "A fork") its log has another name and key, and the witnesses keep theirs: the new chain is the one whose
 * checkpoint a quorum of the witnesses pinned here has cosigned. Of the server's new trust file only the line of that log
 * is taken. KNOWN: what entry 0 of the new chain says of the old one is not read here; witnesses and auditors do.
 */

import { type Bytes, hex } from "../bytes";
import type { Files } from "../chain/alarms";
import { Malformed, NotSigned, openCheckpoint, type VerifierKey } from "../chain/note";
import { Policy } from "../chain/policy";
import { type Compared, compareSheet, fingerprint } from "../chain/sheets";
import type { GateStore } from "./store";

/** The last checkpoint seen on a legal day (days since 1970). */
export interface Kept {
  readonly day: number;
  readonly size: number;
  readonly root: string;
}

/** What stands against each other: size and root as held, and as told. */
export interface Fork {
  readonly held: string;
  readonly told: string;
  /** The command has been told. */
  readonly said: boolean;
}

/** How many days are kept: a board sheet hangs no longer than two terms of isolation. */
const DAYS = 31;

/**
 * Ask for the newest checkpoint and compare it with the one held.
 *
 * @returns the fork, if this is one; it is kept, and told again at every later look
 */
export async function lookAtChain(store: GateStore, day: number, from: Files): Promise<Fork | null> {
  const files = once(from);
  const known = await store.setting<Fork>("chainFork");
  if (known !== null) return known;
  const policy = await pinned(store, files);
  if (policy === null) return null;
  const kept = (await store.setting<Kept[]>("chainDays")) ?? [];
  const last = kept.at(-1);
  if (last !== undefined) {
    const found = await compareSheet(fingerprint(last), policy, files);
    if (found.kind === "fork") return keepFork(store, last, found.other);
    if (found.kind !== "consistent") return null;
    // By a sheet that was scanned here it fits itself: that proves nothing of what the server says now.
    if (found.with !== (await newest(policy, files))?.size) return null;
  }
  const now = await newest(policy, files);
  if (last !== undefined && now?.size === last.size && now.root !== last.root) return keepFork(store, last, now.root);
  if (now !== null && now.size >= (last?.size ?? 0)) {
    const others = kept.filter((one) => one.day !== day);
    await store.keepSetting("chainDays", [...others, { day, ...now }].slice(-DAYS));
  }
  return null;
}

/** Which chain the server speaks of: the one held, one that follows it and is taken now, or another that nobody confirms. */
export type Which = "same" | "followed" | "other";

/** One look at the chain: which it is, and what it says. */
export async function visitChain(store: GateStore, day: number, from: Files): Promise<{ which: Which; fork: Fork | null }> {
  const files = once(from);
  const which = await follow(store, files);
  return { which, fork: which === "other" ? await store.setting<Fork>("chainFork") : await lookAtChain(store, day, files) };
}

async function follow(store: GateStore, files: Files): Promise<Which> {
  const held = await store.setting<string>("chainPolicy");
  const note = held === null ? null : await files("checkpoint");
  if (held === null || note === null) return "same";
  const policy = Policy.parse(held);
  if (policy.logs[0] !== undefined && (await signedBy(note, policy.logs[0], policy)) !== null) return "same";
  const told = new TextDecoder().decode((await files("policy.txt")) ?? new Uint8Array());
  const line = told.split("\n").find((one) => /^\s*log\s/.test(one)) ?? "";
  const anew = tried(`${line}\nquorum none\n`)?.logs[0];
  const by = anew === undefined ? null : await signedBy(note, anew, policy);
  if (by === null) return "same"; // a captive portal, or half an answer
  if (by.size === 0 || !policy.metBy(by)) return "other";
  const others = held.split("\n").filter((one) => !/^\s*log\s/.test(one));
  for (const name of ["chainDays", "chainFork"] as const) await store.keepSetting(name, null);
  await store.keepSetting("chainPolicy", [line, ...others].join("\n"));
  return "followed";
}

/** Which witnesses of the policy cosigned this checkpoint of this log; null where the log did not sign it. */
async function signedBy(note: Bytes, log: VerifierKey, { witnesses }: Policy): Promise<ReadonlySet<string> | null> {
  try {
    const { opened } = await openCheckpoint(note, log, witnesses.map(({ key }) => key));
    return new Set(witnesses.filter(({ key }) => opened.verified.some((v) => v.key === key)).map(({ name }) => name));
  } catch (error) {
    if (error instanceof Malformed || error instanceof NotSigned) return null;
    throw error;
  }
}

/** The trust file; null where this is none, as of a captive portal. */
function tried(text: string): Policy | null {
  try {
    return Policy.parse(text);
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}

/** Compare the code of a board sheet with what this gate holds and what the server says. */
export async function meetSheet(store: GateStore, text: string, files: Files): Promise<Compared["kind"]> {
  const policy = await pinned(store, files);
  if (policy === null) return "alone";
  const found = await compareSheet(text, policy, files);
  if (found.kind === "fork") await keepFork(store, found.sheet, found.other);
  return found.kind;
}

async function keepFork(store: GateStore, held: { readonly size: number; readonly root: string }, told: string): Promise<Fork> {
  const fork = { held: brief(held.size, held.root), told: brief(held.size, told), said: false };
  await store.keepSetting("chainFork", fork);
  return fork;
}

/** Short enough for a signal. */
function brief(size: number, root: string): string {
  return `${size} ${root.slice(0, 12)}`.slice(0, 24);
}

/** Every file is asked for once: what is kept is the very checkpoint that was compared. */
function once(files: Files): Files {
  const asked = new Map<string, Promise<Bytes | null>>();
  return (path) => {
    const answer = asked.get(path) ?? files(path);
    asked.set(path, answer);
    return answer;
  };
}

async function pinned(store: GateStore, files: Files): Promise<Policy | null> {
  const held = await store.setting<string>("chainPolicy");
  if (held !== null) return Policy.parse(held);
  const file = await files("policy.txt");
  if (file === null) return null;
  const text = new TextDecoder().decode(file);
  const policy = tried(text);
  if (policy !== null) await store.keepSetting("chainPolicy", text);
  return policy;
}

async function newest(policy: Policy, files: Files): Promise<{ size: number; root: string } | null> {
  const [log] = policy.logs;
  const note = await files("checkpoint");
  if (log === undefined || note === null) return null;
  try {
    const { checkpoint } = await openCheckpoint(note, log, []);
    return { size: checkpoint.size, root: hex(checkpoint.root) };
  } catch (error) {
    if (error instanceof Malformed || error instanceof NotSigned) return null;
    throw error;
  }
}
