/**
 * What of the passes on a phone is shown for home and for each work, and whether the server is asked for others.
 *
 * Pure: the page's data say what was granted, the passes say what is here.
 */

import { FLAG, type Pass, type PassClass } from "../pass/tokens";

/** A pass for work that was granted for this person's phones. */
export interface Work {
  readonly kind: PassClass;
  readonly zones: readonly string[];
  /** The worker is not yet cleared. */
  readonly marked: boolean;
  /** When the grant ends, in epoch seconds. */
  readonly until: number;
  /** What the page calls it. */
  readonly label: string;
}

/** A pass with less than this left is renewed; passes live three days. */
const RENEW_BELOW = 2 * 86_400;

const isWork = (pass: Pass): boolean => pass.kind !== "P" && pass.kind !== "H";
const isMarked = (pass: Pass): boolean => (pass.flags & FLAG.NOT_CLEARED) !== 0;

function fits(pass: Pass, work: Work): boolean {
  return pass.kind === work.kind && pass.zones.length === work.zones.length && pass.zones.every((zone) => work.zones.includes(zone));
}

/** The pass that is shown for a work; the marked one until the one after the clearance is here. Null where it is not here. */
export function passFor<T extends { readonly pass: Pass }>(carried: readonly T[], work: Work | null): T | null {
  if (work === null) return carried.find(({ pass }) => !isWork(pass)) ?? null;
  const fitting = carried.filter(({ pass }) => fits(pass, work));
  return fitting.find(({ pass }) => isMarked(pass) === work.marked) ?? fitting[0] ?? null;
}

/** Why the server is asked: somebody waits for a pass that is not here, one is near its end, or not at all. */
export type Asking = "missing" | "renewal" | null;

/** @param now epoch seconds */
export function asking(carried: readonly { readonly pass: Pass }[], works: readonly Work[], now: number): Asking {
  const home = passFor(carried, null);
  if (home === null) return null;
  const shown = works.map((work) => ({ work, held: passFor(carried, work) }));
  const here = shown.every(({ work, held }) => held !== null && isMarked(held.pass) === work.marked && held.pass.expiresAt > now);
  const left = carried.filter(({ pass }) => isWork(pass) && !works.some((work) => fits(pass, work)));
  if (!here || left.length > 0) return "missing";
  const near = (pass: Pass): boolean => pass.expiresAt - now < RENEW_BELOW;
  const ends = shown.some(({ work, held }) => held !== null && near(held.pass) && held.pass.expiresAt < work.until);
  return near(home.pass) || ends ? "renewal" : null;
}
