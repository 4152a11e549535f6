/**
 * How long a pass is remembered at a gate: as long as a rule asks for it, and no longer. No store, no DOM.
 *
 * Two rules ask. "Already shown" looks ten minutes back. A quota looks back over its window, which no signed act makes
 * longer than 31 days, and only at ways out of the own home.
 */

import { isOverLong } from "../pass/rules";
import type { Mark } from "./store";

export const ALREADY_SHOWN_SECONDS = 600;
/** More than live in the largest compound; beyond it those go that were longest not shown. */
export const MOST_MARKS = 20_000;

export function isNeeded({ outs, lastAt }: Mark, now: number): boolean {
  return now - lastAt < ALREADY_SHOWN_SECONDS || outs.some((out) => !isOverLong(out, now));
}
