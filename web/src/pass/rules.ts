/**
 * The signed rule set of a gate: quota and perimeter acts with their ends, the limit for a temperature.
 *
 * An act that is over, or that does not name this gate, changes nothing: the gate only registers.
 */

import type { Value } from "../cbor";
import { Claims, EXP, IAT, RULES, texts, VERSION } from "./claims";
import { read1, TYP } from "./cose";
import { FILE_HEADERS, type KeyList } from "./keylist";
import { Rejected } from "./rejected";
import type { Situation } from "./verdict";

const TYPE = "application/lf-rules+cwt";
/** Windows of a quota begin at 00:00 in Asia/Shanghai, which is UTC+8 all year. */
const LEGAL_OFFSET = 8 * 3600;
const DAY = 86_400;

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

/** The value of the decision's dimension `act`. `used`: ways out already in the window. */
export function actAt(
  rules: RuleSet,
  now: number,
  compounds: ReadonlySet<string>,
  kind: string,
  movement: Situation["movement"],
  used: number,
): Situation["act"] {
  let found: Situation["act"] = "none";
  for (const act of rules.acts) {
    if (!inForce(act, now, compounds)) continue;
    if (act.kind === "perimeter") return act.classes.includes(kind) ? "perimeter_listed" : "perimeter_unlisted";
    if (movement === "home_out" && act.classes.includes(kind) && used >= act.times) found = "quota_used";
  }
  return found;
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
  body.done();
  if (held !== null && version < held.version) throw new Rejected("rollback");
  return { version, issuedAt, expiresAt, acts, feverTenths };
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
