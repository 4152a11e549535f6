/** The window in which a quota counts ways out, where a signed act in force sets one. */

import { inForce, type RuleSet, windowStart } from "../pass/rules";
import type { Outcome } from "../pass/scan";

const LONGEST_WINDOW = 31 * 86_400;

export function windowOf(rules: RuleSet | null, outcome: Outcome, compounds: ReadonlySet<string>): number | null {
  if (rules === null || outcome.shown === null || outcome.situation.movement !== "home_out") return null;
  const { kind } = outcome.shown;
  const starts = rules.acts
    .filter((act) => act.kind === "quota" && inForce(act, outcome.timeUsed, compounds) && act.classes.includes(kind))
    .map((act) => windowStart(act, outcome.timeUsed));
  return starts.length > 0 ? Math.max(...starts) : null;
}

/** No window is longer; what is older is forgotten. */
export function isOverLong(out: number, now: number): boolean {
  return now - out > LONGEST_WINDOW;
}
