/**
 * Which instant a gate counts with.
 *
 * The floor is the newest instant the server has signed and this device verified. The holder's
 * signature on a rotating code does not raise it, or a phone set a year ahead could end every
 * term at a gate.
 */

export const TOLERANCE = 300;
const PHONES_COMPARED = 10;
const PHONES_DIFFER = 60;

export interface TimeUsed {
  readonly at: number;
  readonly inDoubt: boolean;
}

/** Never before the floor: a clock set back can undo no end that has passed. */
export function timeUsed(device: number, offset: number, floor: number): TimeUsed {
  const now = device + offset;
  return { at: Math.max(now, floor), inDoubt: now < floor - TOLERANCE };
}

/** Whether the last codes of different phones say that this clock is off: `phone - gate` of each. */
export function phonesDisagree(differences: readonly number[]): boolean {
  if (differences.length < PHONES_COMPARED) return false;
  const middle = differences.slice(-PHONES_COMPARED).sort((a, b) => a - b);
  const [low = 0, high = 0] = [middle[PHONES_COMPARED / 2 - 1], middle[PHONES_COMPARED / 2]];
  return Math.abs(low + high) > 2 * PHONES_DIFFER;
}
