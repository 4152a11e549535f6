/**
 * Which signed evidence counts: the freshest of list, delta, phone pass and slips.
 *
 * Twin of `lianfang_pass.evidence`, whose table says what beats what. A row is no evidence for
 * a pass that was signed after the list: the index had no holder, or another one.
 */

import type { ListStatus } from "./statuslist";
import type { Slip } from "./tokens";
import type { Situation } from "./verdict";

const HOUR = 3600;

/** How old what is known may be, in seconds: up to `day` it counts as of today, beyond `old` it is old. */
export interface Ages {
  readonly day: number;
  readonly old: number;
}
/** passes.md 4.3; a rule set may set others. */
export const AGES: Ages = { day: 24 * HOUR, old: 72 * HOUR };

/** What the list held says of the pass. `status` null: it has no row for it. */
export interface ListRow {
  readonly status: ListStatus | null;
  readonly end: number | null;
  readonly signedAt: number;
}

export interface Weighed {
  readonly status: Situation["status"];
  readonly slip: Situation["slip"];
  /** The instant of the freshest evidence. */
  readonly known: number | null;
}

export function ageOf(known: number | null, now: number, ages: Ages = AGES): Situation["evidence"] {
  if (known === null || now - known > ages.old) return "old";
  return now - known <= ages.day ? "day" : "three_days";
}

export interface Known {
  readonly now: number;
  readonly row: ListRow | null;
  readonly passSignedAt: number | null;
  readonly onPhone: boolean;
  /** Verified, in their term, and of this person. */
  readonly slips: readonly Slip[];
}

export function weigh({ now, row, passSignedAt, onPhone, slips }: Known): Weighed {
  const phoneAt = onPhone ? passSignedAt : null;
  // A list that does not reach the index is no evidence at all; one from before the pass still
  // tells how fresh the device is, but nothing of this pass.
  const listAt = row !== null && row.status !== null ? row.signedAt : null;
  const counted = row !== null && passSignedAt !== null && row.signedAt < passSignedAt ? null : row;
  const effective = slips.filter((slip) => slip.notBefore <= now);
  const [slip, slipAt] = slipThatCounts(now, counted, phoneAt, effective);
  const instants = [listAt, phoneAt, slipAt].filter((at) => at !== null && at <= now) as number[];
  return { status: statusOf(now, counted), slip, known: instants.length > 0 ? Math.max(...instants) : null };
}

function statusOf(now: number, row: ListRow | null): Situation["status"] {
  if (row === null || row.status === null || row.status === "valid") return "valid";
  if (row.status === "invalid" || row.status === "refer") return row.status;
  if (row.end === null) return "no_end";
  return now < row.end ? "before_end" : "after_end";
}

function slipThatCounts(
  now: number,
  row: ListRow | null,
  phoneAt: number | null,
  slips: readonly Slip[],
): readonly [Situation["slip"], number | null] {
  const orders = slips.filter((slip) => slip.kind === "O");
  for (const [kind, value] of [["L", "lift"], ["R", "release"]] as const) {
    const free = slips.find((slip) => slip.kind === kind && !freedomBeaten(slip, row, orders, now));
    if (free !== undefined) return [value, free.notBefore];
  }
  const running = orders.filter((slip) => now < slip.end && !orderBeaten(slip, row, phoneAt));
  if (running.length > 0) return ["order_running", Math.max(...running.map((slip) => slip.notBefore))];
  const over = orders.find((slip) => slip.end <= now && !freedomBeaten(slip, row, orders, now));
  return over === undefined ? ["none", null] : ["order_over", over.end];
}

/** Whether a newer signed order stands against a release, a lift, or an order that is over. */
function freedomBeaten(slip: Slip, row: ListRow | null, orders: readonly Slip[], now: number): boolean {
  const suspended = row !== null && row.status === "suspended" ? row : null;
  if (slip.kind === "L") {
    const byList =
      suspended !== null && suspended.signedAt > slip.notBefore && (suspended.end === null || suspended.end > now);
    return byList || orders.some((order) => order.issuedAt > slip.notBefore && order.end > now);
  }
  const byList =
    suspended !== null && suspended.signedAt > slip.issuedAt && suspended.end !== null && suspended.end > slip.end;
  return byList || orders.some((order) => order.issuedAt > slip.issuedAt && order.end > slip.end);
}

/** Whether newer evidence stands against an order slip that is still running; newer than its start too. */
function orderBeaten(slip: Slip, row: ListRow | null, phoneAt: number | null): boolean {
  const since = Math.max(slip.issuedAt, slip.start);
  if (phoneAt !== null && phoneAt > since) return true;
  if (row === null || row.status === null || row.signedAt <= since) return false;
  // A newer list that knows of an order but not of its end leaves the end to the slip.
  return !(row.status === "suspended" && row.end === null);
}
