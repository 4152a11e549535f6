/**
 * Status files of a shard: whole list, until list and deltas; what a gate holds after reading them.
 *
 * Twin of `lianfang_pass.statuslist`. Every function gives a new state or throws; the state
 * held stays whole whatever arrives.
 */

import type { Bytes } from "../bytes";
import { Claims, DELTA, EXP, IAT, STATUS_LIST, SUB, TTL, UNTIL, VERSION } from "./claims";
import { read1, type Sign1, TYP } from "./cose";
import { inflate } from "./inflate";
import { FILE_HEADERS, type KeyList, type Purpose } from "./keylist";
import { Rejected } from "./rejected";
import { VarintReader } from "./varint";

const LIST_TYPE = "application/statuslist+cwt";
const UNTIL_TYPE = "application/lf-until+cwt";
const DELTA_TYPE = "application/lf-delta+cwt";
const MAX_BYTES = 8 * 1024 * 1024;
const HOURS_FROM = 1_577_836_800;

export type ListStatus = "valid" | "invalid" | "suspended" | "refer";
const STATUSES: readonly ListStatus[] = ["valid", "invalid", "suspended", "refer"];

export interface Row {
  readonly status: ListStatus;
  readonly end: number | null;
}

export interface Change extends Row {
  readonly index: number;
}

export interface ShardState {
  readonly uri: string;
  readonly version: number;
  /** Of the list, or of the last delta applied. */
  readonly signedAt: number;
  readonly bits: Bytes;
  readonly ends: ReadonlyMap<number, number>;
}

/** The row of an index, or null: the list does not reach that far. */
export function rowOf(shard: ShardState, index: number): Row | null {
  const byte = shard.bits[Math.floor(index / 4)];
  if (byte === undefined) return null;
  const status = STATUSES[(byte >> (2 * (index % 4))) & 3] ?? "valid";
  return { status, end: status === "suspended" ? (shard.ends.get(index) ?? null) : null };
}

function endOf(travelled: number): number | null {
  return travelled === 0 ? null : HOURS_FROM + (travelled - 1) * 3600;
}

/** @throws Rejected: form, `signature`, `uri`, `pair`, `rollback` */
export async function acceptList(
  whole: Uint8Array,
  until: Uint8Array,
  uri: string,
  keys: KeyList,
  held: ShardState | null,
): Promise<ShardState> {
  const list = await open(whole, LIST_TYPE, "statuslist", uri, keys);
  list.claims.number(TTL);
  const statusList = list.claims.inner(STATUS_LIST);
  list.claims.done();
  if (statusList.number("bits", { most: 8 }) !== 2) throw new Rejected("format");
  const bits = await inflate(statusList.raw("lst", { most: MAX_BYTES }));
  statusList.done();

  const ends = await open(until, UNTIL_TYPE, "statuslist", uri, keys);
  const body = ends.claims.inner(UNTIL);
  ends.claims.done();
  if (body.number(1) !== 1) throw new Rejected("format");
  const count = body.number(2);
  const map = readEnds(count, await inflate(body.raw(3, { most: MAX_BYTES })));
  body.done();

  if (list.version !== ends.version) throw new Rejected("pair");
  if (held !== null && list.version <= held.version) throw new Rejected("rollback");
  return { uri, version: list.version, signedAt: Math.min(list.signedAt, ends.signedAt), bits, ends: map };
}

/** @throws Rejected: form, `signature`, `uri`, `gap`, `rollback` */
export async function acceptDelta(data: Uint8Array, keys: KeyList, held: ShardState): Promise<ShardState> {
  const token = fileToken(data, DELTA_TYPE);
  const claims = Claims.of(token.payload, MAX_BYTES);
  const signedAt = claims.number(IAT);
  if (!(await keys.signed(token, "delta", signedAt))) throw new Rejected("signature");
  if (claims.text(SUB) !== held.uri) throw new Rejected("uri");
  claims.number(EXP);
  const body = claims.inner(DELTA);
  claims.done();
  if (body.number(1) !== 1) throw new Rejected("format");
  const from = body.number(2);
  const to = body.number(3);
  const changes = readChanges(body.raw(4, { most: MAX_BYTES }));
  body.done();
  if (from > held.version) throw new Rejected("gap");
  if (from < held.version || to <= held.version) throw new Rejected("rollback");
  return apply(changes, held, to, signedAt);
}

/** @throws Rejected `index`: a change so far beyond what is held that no shard grows like that */
export function apply(changes: readonly Change[], held: ShardState, version: number, signedAt: number): ShardState {
  let bits = held.bits;
  const last = changes.at(-1);
  const needed = last === undefined ? 0 : Math.floor(last.index / 4) + 1;
  const grown = new Uint8Array(Math.max(bits.length, Math.min(needed, 4 * MAX_BYTES)));
  grown.set(bits);
  let reach = bits.length;
  bits = grown;
  const ends = new Map(held.ends);
  for (const change of changes) {
    const at = Math.floor(change.index / 4);
    if (at >= reach) {
      if (at > 4 * reach + 65_536) throw new Rejected("index");
      reach = at + 1;
    }
    const shift = 2 * (change.index % 4);
    bits[at] = ((bits[at] ?? 0) & ~(3 << shift)) | (STATUSES.indexOf(change.status) << shift);
    ends.delete(change.index);
    if (change.status === "suspended" && change.end !== null) ends.set(change.index, change.end);
  }
  return { uri: held.uri, version, signedAt: Math.max(held.signedAt, signedAt), bits, ends };
}

/** @throws Rejected `varint` */
export function readChanges(data: Uint8Array): Change[] {
  const reader = new VarintReader(data);
  const changes: Change[] = [];
  let index = -1;
  while (!reader.done) {
    const number = reader.next();
    index += 1 + Math.floor(number / 4);
    const status = STATUSES[number % 4] ?? "valid";
    changes.push({ index, status, end: status === "suspended" ? endOf(reader.next()) : null });
  }
  return changes;
}

function readEnds(count: number, data: Uint8Array): Map<number, number> {
  const reader = new VarintReader(data);
  const ends = new Map<number, number>();
  let index = -1;
  for (let i = 0; i < count; i++) {
    index += 1 + reader.next();
    const end = endOf(reader.next());
    if (end !== null) ends.set(index, end);
  }
  if (!reader.done) throw new Rejected("varint");
  return ends;
}

function fileToken(data: Uint8Array, type: string): Sign1 {
  const token = read1(data, FILE_HEADERS, MAX_BYTES);
  if (token.header.get(TYP) !== type) throw new Rejected("typ");
  return token;
}

async function open(
  data: Uint8Array,
  type: string,
  purpose: Purpose,
  uri: string,
  keys: KeyList,
): Promise<{ version: number; signedAt: number; claims: Claims }> {
  const token = fileToken(data, type);
  const claims = Claims.of(token.payload, MAX_BYTES);
  const signedAt = claims.number(IAT);
  if (!(await keys.signed(token, purpose, signedAt))) throw new Rejected("signature");
  if (claims.text(SUB) !== uri) throw new Rejected("uri");
  claims.number(EXP);
  return { version: claims.number(VERSION), signedAt, claims };
}
