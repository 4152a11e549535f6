/**
 * The day's checkpoint from a board sheet, scanned or typed, compared with what this device and the server know.
 *
 * Wherever two people who saw two checkpoints meet, a log that told two stories is found out: one size has one root.
 */

import { type Bytes, equal, hex } from "../bytes";
import { NotCanonical } from "../cbor";
import { type Checkpoint, Malformed, NotSigned, openCheckpoint } from "./note";
import type { Policy } from "./policy";
import { parseConsistency, SHEET_PREFIX, verifySheetText } from "./proof";
import { NotProved, verifyConsistency } from "./tree";

/** Under the name of each chain: one that was begun anew has other roots under the same sizes. */
const KEPT = "lianfang-roots:";
/** Where an earlier version kept them, without the name of their chain. */
const BEFORE = "lianfang-verifier-roots";
const MOST = 200;
/** So many characters of the root are printed beside the size. */
const SHORT = 16;

/** What a sheet says: a whole root where its code was scanned, the beginning of one where it was typed. */
export interface Seen {
  readonly size: number;
  readonly root: string;
  readonly signed: boolean;
}

/**
 * What contradicts: a root that this device saw before under the same size ("held"), the root that the server gives out for
 * that size ("served"), or the server's present chain, which does not go on from what this device has seen ("now").
 */
export type Against = "held" | "served" | "now";

export type Compared =
  | { readonly kind: "consistent"; readonly sheet: Seen; readonly with: number; readonly by: readonly string[] }
  | { readonly kind: "fork"; readonly sheet: Seen; readonly other: string; readonly against: Against }
  | { readonly kind: "alone"; readonly sheet: Seen }
  | { readonly kind: "unreadable"; readonly detail: string };

/** "12345 0a1b2c3d4e5f6789": size and sixteen characters, with any spaces. */
const TYPED = /^\s*(\d{1,15})[\s,，·:：]+([0-9a-fA-F](?:\s*[0-9a-fA-F]){15})\s*$/;

/** A checkpoint as people type it: size, and the beginning of the root. */
export function fingerprint({ size, root }: { readonly size: number; readonly root: string }): string {
  return `${size} ${root.slice(0, SHORT)}`;
}

export function isSheet(text: string): boolean {
  return text.startsWith(SHEET_PREFIX) || TYPED.test(text);
}

/** @param files reads a file of the chain by its path; null without network */
export async function compareSheet(text: string, policy: Policy, files: (path: string) => Promise<Bytes | null> = fetched): Promise<Compared> {
  let sheet: Seen;
  try {
    sheet = await seenOn(text, policy);
  } catch (error) {
    if (error instanceof NotCanonical || error instanceof Malformed || error instanceof NotSigned) {
      return { kind: "unreadable", detail: error.message };
    }
    throw error;
  }
  return compareSeen(sheet, policy, files);
}

/** A checkpoint of a sheet or of a proof's paper, compared before it is kept: the second root of a size is never kept. */
export async function compareSeen(sheet: Seen, policy: Policy, files: (path: string) => Promise<Bytes | null> = fetched): Promise<Compared> {
  const origin = originOf(policy);
  const other = otherRoot(sheet, origin);
  if (other !== null) return { kind: "fork", sheet, other, against: "held" };
  const held = remembered(origin)[String(sheet.size)];
  const told = await asked(sheet, policy, files);
  if (told.kind !== "fork" && sheet.signed) remember(sheet, origin);
  if (told.kind === "alone" && held !== undefined) return { kind: "consistent", sheet, with: sheet.size, by: [] };
  return told;
}

/** The other root that this device has seen under the same size; null when none contradicts. */
export function otherRoot({ size, root }: { readonly size: number; readonly root: string }, origin: string): string | null {
  const held = remembered(origin)[String(size)];
  return held === undefined || held.startsWith(root.slice(0, SHORT)) ? null : held;
}

/** Keep a checkpoint that was verified and compared, for the next one that is met. */
function remember(checkpoint: { readonly size: number; readonly root: string }, origin: string): void {
  const roots = remembered(origin);
  roots[String(checkpoint.size)] ??= checkpoint.root;
  const sizes = Object.keys(roots).map(Number).sort((a, b) => b - a);
  localStorage.setItem(KEPT + origin, JSON.stringify(Object.fromEntries(sizes.slice(0, MOST).map((size) => [size, roots[String(size)]]))));
}

function originOf({ logs: [log] }: Policy): string {
  return log?.name ?? "";
}

function remembered(origin: string): Record<string, string> {
  const before = localStorage.getItem(BEFORE);
  if (before !== null) {
    localStorage.setItem(KEPT + origin, before);
    localStorage.removeItem(BEFORE);
  }
  try {
    const held: unknown = JSON.parse(localStorage.getItem(KEPT + origin) ?? "{}");
    if (typeof held !== "object" || held === null) return {};
    return Object.fromEntries(Object.entries(held).filter((item): item is [string, string] => typeof item[1] === "string"));
  } catch {
    return {};
  }
}

async function seenOn(text: string, policy: Policy): Promise<Seen> {
  const typed = TYPED.exec(text);
  if (typed !== null) {
    return { size: Number(typed[1]), root: (typed[2] ?? "").replace(/\s/g, "").toLowerCase(), signed: false };
  }
  const { size, root } = await verifySheetText(text.trim(), policy);
  return { size, root: hex(root), signed: true };
}

async function asked(sheet: Seen, policy: Policy, files: (path: string) => Promise<Bytes | null>): Promise<Compared> {
  const alone: Compared = { kind: "alone", sheet };
  const [theirs, latest] = await Promise.all([files(`checkpoint/${sheet.size}`), files("checkpoint")]);
  if (theirs === null || latest === null) return alone;
  try {
    const [older] = await opened(theirs, policy);
    const [newer, by] = await opened(latest, policy);
    if (older.size !== sheet.size) return alone;
    if (!hex(older.root).startsWith(sheet.root)) return { kind: "fork", sheet, other: hex(older.root), against: "served" };
    if (older.size === newer.size) {
      // Nothing has come since.
      return equal(older.root, newer.root) ? { kind: "consistent", sheet, with: newer.size, by } : { kind: "fork", sheet, other: hex(newer.root), against: "served" };
    }
    const file = await files(`consistency/${older.size}/${newer.size}`);
    if (file === null) return alone;
    const { old, proof, note } = parseConsistency(file);
    const [same] = await opened(note, policy);
    if (old !== older.size || same.size !== newer.size || !equal(same.root, newer.root)) return alone;
    verifyConsistency(older.size, newer.size, older.root, newer.root, proof);
    const latestSeen = { size: newer.size, root: hex(newer.root) };
    const other = otherRoot(latestSeen, originOf(policy));
    if (other !== null) return { kind: "fork", sheet: { size: latestSeen.size, root: other, signed: true }, other: latestSeen.root, against: "now" };
    remember(latestSeen, originOf(policy));
    return { kind: "consistent", sheet, with: newer.size, by };
  } catch (error) {
    if (error instanceof NotProved) return { kind: "fork", sheet, other: error.message, against: "now" };
    if (error instanceof Malformed || error instanceof NotSigned) return alone; // a captive portal's page
    throw error;
  }
}

async function opened(note: Bytes, policy: Policy): Promise<readonly [Checkpoint, readonly string[]]> {
  const [log] = policy.logs;
  if (log === undefined) throw new NotSigned("no log");
  const { checkpoint, opened: read } = await openCheckpoint(note, log, policy.witnesses.map(({ key }) => key));
  const by = policy.witnesses.filter(({ key }) => read.verified.some((v) => v.key === key)).map(({ name }) => name);
  return [checkpoint, by];
}

async function fetched(path: string): Promise<Bytes | null> {
  try {
    const answer = await fetch(`../chain/${path}`, { cache: "no-store", redirect: "error" });
    return answer.ok ? (new Uint8Array(await answer.arrayBuffer()) as Bytes) : null;
  } catch {
    return null;
  }
}
