/**
 * The signed rule set of a gate: quota and perimeter acts with their ends, the limits for a temperature and for old lists.
 *
 * An act that is over, or that does not name this gate, changes nothing: the gate only registers.
 */

import type { Value } from "../cbor";
import { Claims, EXP, IAT, RULES, texts, VERSION } from "./claims";
import { read1, TYP } from "./cose";
import { AGES, type Ages } from "./evidence";
import { FILE_HEADERS, type KeyList } from "./keylist";
import { Rejected } from "./rejected";
import type { Situation } from "./verdict";

const TYPE = "application/lf-rules+cwt";
/** Windows of a quota begin at 00:00 in Asia/Shanghai, which is UTC+8 all year. */
const LEGAL_OFFSET = 8 * 3600;
const DAY = 86_400;
const HOUR = 3600;
/** An age is at most thirty days: then the list itself is over. */
const LONGEST_AGE = 720;

export interface GateAct {
  readonly no: string;
  readonly kind: "quota" | "perimeter";
  readonly zones: readonly string[];
  readonly start: number;
  readonly end: number;
  /** The letters of the classes it names. */
  readonly classes: string;
  readonly times: number;
  readonly window: number;
}

export interface RuleSet {
  readonly version: number;
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly acts: readonly GateAct[];
  readonly feverTenths: number;
  readonly ages: Ages;
}

/** How a quota stands for a pass that asks to go out. */
export interface Quota {
  /** Ways out that are left, the one asked for among them. */
  readonly left: number;
  readonly times: number;
  /** Length of the window. */
  readonly days: number;
}

export function inForce(act: GateAct, now: number, compounds: ReadonlySet<string>): boolean {
  return act.start <= now && now < act.end && act.zones.some((zone) => compounds.has(zone));
}

/** When the window that `now` lies in began; windows follow each other from the act's first legal day. */
export function windowStart(act: GateAct, now: number): number {
  const first = Math.floor((act.start + LEGAL_OFFSET) / DAY);
  const day = Math.floor((now + LEGAL_OFFSET) / DAY);
  const inside = (((day - first) % act.window) + act.window) % act.window;
  return (day - inside) * DAY - LEGAL_OFFSET;
}

/** The value of the decision's dimension `act`. `used`: ways out already in the window of a quota. */
export function actAt(
  rules: RuleSet,
  now: number,
  compounds: ReadonlySet<string>,
  kind: string,
  movement: Situation["movement"],
  used: (quota: GateAct) => number,
): Situation["act"] {
  let found: Situation["act"] = "none";
  for (const act of rules.acts) {
    if (!inForce(act, now, compounds)) continue;
    if (act.kind === "perimeter") return act.classes.includes(kind) ? "perimeter_listed" : "perimeter_unlisted";
    if (movement === "home_out" && act.classes.includes(kind) && used(act) >= act.times) found = "quota_used";
  }
  return found;
}

/** How many of these ways out lie in the window of this quota. */
export function usedOf(quota: GateAct, outs: readonly number[], now: number): number {
  const since = windowStart(quota, now);
  return outs.filter((at) => at >= since).length;
}

/** The quota that binds this pass tightest; null where no signed act in force sets one. */
export function quotaAt(
  rules: RuleSet,
  now: number,
  compounds: ReadonlySet<string>,
  kind: string,
  movement: Situation["movement"],
  outs: readonly number[],
): Quota | null {
  if (movement !== "home_out") return null;
  const binding = rules.acts.filter((act) => act.kind === "quota" && inForce(act, now, compounds) && act.classes.includes(kind));
  const all = binding.map((act) => ({ left: Math.max(0, act.times - usedOf(act, outs, now)), times: act.times, days: act.window }));
  return all.length === 0 ? null : all.reduce((least, one) => (one.left < least.left ? one : least));
}

/** No window is longer; a way out before it is forgotten. */
export function isOverLong(out: number, now: number): boolean {
  return now - out > 31 * DAY;
}

/** @throws Rejected: form, `signature`, `rollback` */
export async function acceptRules(data: Uint8Array, keys: KeyList, held: RuleSet | null): Promise<RuleSet> {
  const token = read1(data, FILE_HEADERS);
  if (token.header.get(TYP) !== TYPE) throw new Rejected("typ");
  const claims = Claims.of(token.payload);
  const issuedAt = claims.number(IAT);
  if (!(await keys.signed(token, "rules", issuedAt))) throw new Rejected("signature");
  const version = claims.number(VERSION);
  const expiresAt = claims.number(EXP);
  const body = claims.inner(RULES);
  claims.done();
  if (body.number(1) !== 1) throw new Rejected("format");
  const acts = body.items(2, 100).map(readAct);
  const feverTenths = body.number(3, { least: 360, most: 400 });
  const ages = body.has(4) ? readAges(body.items(4, 2)) : AGES;
  body.done();
  if (held !== null && version < held.version) throw new Rejected("rollback");
  return { version, issuedAt, expiresAt, acts, feverTenths, ages };
}

/** `[day, old]` in hours; it stands in a rule set only where it differs from what is usual. */
function readAges([day, old]: readonly Value[]): Ages {
  if (typeof day !== "number" || typeof old !== "number") throw new Rejected("claims");
  if (!(1 <= day && day <= old && old <= LONGEST_AGE)) throw new Rejected("claims");
  return { day: day * HOUR, old: old * HOUR };
}

function readAct(value: Value): GateAct {
  const row = new Claims(value);
  const kind = row.text(2, { most: 12 });
  if (kind !== "quota" && kind !== "perimeter") throw new Rejected("claims");
  const quota = kind === "quota";
  const act: GateAct = {
    no: row.text(1, { most: 48 }),
    kind,
    zones: texts(row.items(3, 600), 32),
    start: row.number(4),
    end: row.number(5),
    classes: row.text(6, { least: 0, most: 8 }),
    times: quota ? row.number(7, { most: 100 }) : 0,
    window: quota ? row.number(8, { least: 1, most: 31 }) : 0,
  };
  row.done();
  if (act.start >= act.end) throw new Rejected("claims");
  return act;
}
