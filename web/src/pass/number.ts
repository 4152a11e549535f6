/**
 * The ten-digit number of a pass: eight digits and two check digits (ISO 7064 MOD 97-10).
 *
 * A typed number is a lookup, never a proof; the check digits catch a slip of the finger.
 */

/** Full-width digits (an open Chinese input method) count as digits; spaces and hyphens go. */
export function plainDigits(typed: string): string {
  return typed.normalize("NFKC").replace(/[\s\u2010-\u2015\u2212-]/g, "");
}

export function checkDigits(eight: string): string {
  return String(98 - ((Number(eight) * 100) % 97)).padStart(2, "0");
}

/** The number in its plain ten-digit form, or null where it is not one. */
export function passNumber(typed: string): string | null {
  const digits = plainDigits(typed);
  if (!/^[0-9]{10}$/.test(digits)) return null;
  return checkDigits(digits.slice(0, 8)) === digits.slice(8) ? digits : null;
}

export function shownNumber(ten: string): string {
  return `${ten.slice(0, 8)}-${ten.slice(8)}`;
}
