/**
 * From what a gate was shown to the situation that is decided: the one place where tokens,
 * keys, lists and the clock meet. Total: whatever text comes in, a decision comes out (G-8).
 *
 * Twin of `lianfang_pass.scan`.
 */

import type { Bytes } from "../bytes";
import { fromText } from "./base45";
import { timeUsed, TOLERANCE } from "./clock";
import { AGES, ageOf, type ListRow, weigh } from "./evidence";
import type { KeyList } from "./keylist";
import { Rejected } from "./rejected";
import { actAt, type Quota, quotaAt, type RuleSet, usedOf } from "./rules";
import { rowOf, type ShardState } from "./statuslist";
import {
  CODE_WINDOW,
  FLAG,
  holderSigned,
  type Identity,
  type Pass,
  type PassClass,
  readToken,
  sameIdentity,
  type Slip,
  type Token,
} from "./tokens";
import { type Decision, decide, type Situation } from "./verdict";

/** An index may get a new holder this long after its pass ended. */
const INDEX_REST = 31 * 86_400;

/** Somebody of the own compound, as the gate's store has them: looked up, never listed. */
export interface StoreRow {
  /** Null: no card of their own. */
  readonly passNo: string | null;
  /** Null: they never had a pass, so no list speaks of them. */
  readonly listUri: string | null;
  readonly index: number | null;
  readonly kind: PassClass;
  readonly identity: Identity;
  /** Of a pass that is over or withdrawn. */
  readonly endedAt: number | null;
}

/** What the device has verified and stored so far. */
export interface Held {
  readonly keys: KeyList | null;
  readonly shards: ReadonlyMap<string, ShardState>;
  readonly floor: number;
  readonly offset: number;
  readonly rules: RuleSet | null;
}

/** One look at a person at a gate, before anything is decided. */
export interface Look {
  /** Codes scanned: a pass, slips, or both, in any order. */
  readonly texts: readonly string[];
  readonly inward: boolean;
  readonly deviceTime: number;
  readonly found?: StoreRow | null;
  readonly lifeExit?: boolean;
  readonly temperatureHigh?: boolean;
  /** When this pass went out before, as far as this gate remembers; null where it cannot say. */
  readonly outs?: readonly number[] | null;
}

export interface Outcome {
  readonly decision: Decision;
  readonly situation: Situation;
  readonly timeUsed: number;
  /** To keep: it may have risen. */
  readonly floor: number;
  readonly cti: Bytes | null;
  readonly shown: Pass | null;
  readonly slips: readonly Slip[];
  readonly phoneSignedAt: number | null;
  readonly orderEnd: number | null;
  /** How the quota stands that binds the pass shown; null where none does, or nothing is remembered of the pass. */
  readonly quota: Quota | null;
  /** The list that speaks of who was recognised is none of those this device holds. */
  readonly listElsewhere: boolean;
  /** The last code that could not be trusted, as it was read. */
  readonly bad: string | null;
}

interface Shown {
  readonly proof: "paper" | "phone" | "phone_stale" | "bad" | "none";
  readonly pass: Pass | null;
  readonly phoneSignedAt: number | null;
  readonly slips: readonly Slip[];
  readonly newest: number;
  readonly bad: string | null;
}

export async function look(asked: Look, compounds: ReadonlySet<string>, held: Held): Promise<Outcome> {
  let shown: Shown = { proof: "none", pass: null, phoneSignedAt: null, slips: [], newest: 0, bad: null };
  for (const text of asked.texts) shown = await add(shown, text, held.keys);
  const found = asked.found ?? null;
  const floor = Math.max(held.floor, shown.newest);
  const clock = timeUsed(asked.deviceTime, held.offset, floor);
  const now = clock.at;
  const { pass } = shown;
  const { rules } = held;
  const outs = asked.outs ?? null;

  let proof: Situation["proof"] = shown.proof;
  // In doubt the gate cannot tell a stale code from its own wrong clock; it registers anyway.
  if (proof === "phone" && !clock.inDoubt && isStale(shown.phoneSignedAt, now)) proof = "phone_stale";
  if (pass === null && found !== null) proof = "found";

  const person = pass?.identity ?? found?.identity ?? shown.slips.at(-1)?.identity ?? null;
  const slips = shown.slips.filter(
    (slip) => now < slip.expiresAt && person !== null && sameIdentity(slip.identity, person),
  );
  const row = listRow(pass, found, held, now);
  const weighed = weigh({
    now,
    row,
    passSignedAt: pass?.issuedAt ?? null,
    onPhone: pass !== null && pass.holderKey !== null,
    slips,
  });
  // G-9: an order slip alone does not say whose home this is. On the way in the guard asks.
  const alone = asked.inward && compounds.size > 0 && pass === null && found === null;
  const slip = alone && weighed.slip === "order_running" ? "none" : weighed.slip;
  const movement = movementOf(asked.inward, compounds, pass, found);
  const kind = pass?.kind ?? found?.kind ?? "P";
  const situation: Situation = {
    life_exit: asked.lifeExit === true ? "yes" : "no",
    movement,
    proof,
    term: termOf(pass, found, now),
    status: weighed.status,
    slip,
    evidence: ageOf(weighed.known, now, rules?.ages ?? AGES),
    clock: clock.inDoubt ? "doubt" : "sure",
    keys: held.keys !== null && now < held.keys.expiresAt ? "current" : "expired",
    act: rules === null ? "none" : actAt(rules, now, compounds, kind, movement, (quota) => usedOf(quota, outs ?? [], now)),
    clearance: clearanceOf(pass, compounds),
    temperature: asked.temperatureHigh === true ? "high" : "normal",
  };
  const listUri = pass?.listUri ?? found?.listUri ?? null;
  const ends = slips.filter((slip) => slip.kind === "O" && now < slip.end).map((slip) => slip.end);
  if (row !== null && row.end !== null && now < row.end) ends.push(row.end);
  return {
    decision: decide(situation),
    situation,
    timeUsed: now,
    floor,
    cti: pass?.cti ?? null,
    shown: pass,
    slips,
    phoneSignedAt: shown.phoneSignedAt,
    orderEnd: ends.length > 0 ? Math.max(...ends) : null,
    quota: rules === null || pass === null || outs === null ? null : quotaAt(rules, now, compounds, kind, movement, outs),
    listElsewhere: listUri !== null && !held.shards.has(listUri),
    bad: shown.bad,
  };
}

/** Take in one scanned text. A bad code never hides a good one scanned before it. */
async function add(shown: Shown, text: string, keys: KeyList | null): Promise<Shown> {
  const worse: Shown = { ...shown, proof: shown.pass === null ? "bad" : shown.proof, bad: text };
  let read: Token;
  try {
    read = readToken(fromText(text));
  } catch (error) {
    if (error instanceof Rejected) return worse;
    throw error;
  }
  if (keys === null) return worse;
  if (read.what === "slip") {
    const { slip } = read;
    if (!(await keys.signed(read.token, "slip", slip.issuedAt))) return worse;
    return { ...shown, slips: [...shown.slips, slip], newest: Math.max(shown.newest, slip.issuedAt) };
  }
  const { pass } = read;
  const issued = read.what === "code" ? read.inner : read.token;
  // Both signatures are checked at once; what the phone signed counts only when the pass is good.
  const byHolder = read.what === "code" ? holderSigned(read) : null;
  if (!(await keys.signed(issued, "pass", pass.issuedAt))) return worse;
  const newest = Math.max(shown.newest, pass.issuedAt);
  if (read.what === "code") {
    if (!(await byHolder)) return { ...worse, newest };
    return { ...shown, proof: "phone", pass, phoneSignedAt: read.signedAt, newest };
  }
  // A phone pass shown bare is a copy of the pass without its holder: as stale as a code can be.
  return { ...shown, proof: pass.holderKey === null ? "paper" : "phone_stale", pass, newest };
}

function isStale(signedAt: number | null, now: number): boolean {
  return signedAt === null || Math.abs(signedAt - now) > CODE_WINDOW;
}

function listRow(pass: Pass | null, found: StoreRow | null, held: Held, now: number): ListRow | null {
  const { listUri, index } = pass ?? found ?? { listUri: null, index: null };
  const shard = listUri === null ? undefined : held.shards.get(listUri);
  if (shard === undefined || index === null) return null;
  const row = rowOf(shard, index);
  const endedAt = pass?.expiresAt ?? found?.endedAt ?? now;
  if (row === null || now >= endedAt + INDEX_REST) {
    // Beyond its rest an index may belong to somebody else: their order is not this person's.
    return { status: null, end: null, signedAt: shard.signedAt };
  }
  return { ...row, signedAt: shard.signedAt };
}

function movementOf(
  inward: boolean,
  compounds: ReadonlySet<string>,
  pass: Pass | null,
  found: StoreRow | null,
): Situation["movement"] {
  // The store holds the own compound only.
  const atHome =
    pass === null
      ? found !== null
      : (pass.kind === "H" || pass.kind === "P") && pass.zones.some((zone) => compounds.has(zone));
  if (atHome) return inward ? "home_in" : "home_out";
  return inward ? "place_in" : "place_out";
}

function termOf(pass: Pass | null, found: StoreRow | null, now: number): Situation["term"] {
  if (pass === null) return found !== null && found.endedAt !== null ? "expired" : "in_term";
  if (now >= pass.expiresAt) return "expired";
  return pass.notBefore !== null && pass.notBefore > now + TOLERANCE ? "not_yet" : "in_term";
}

function clearanceOf(pass: Pass | null, compounds: ReadonlySet<string>): Situation["clearance"] {
  if (pass === null || pass.kind !== "W" || (pass.flags & FLAG.NOT_CLEARED) === 0) return "not_asked";
  return pass.zones.some((zone) => compounds.has(zone)) ? "not_cleared" : "not_asked";
}
