/**
 * Who stands at the post (domain.md F12). The device holds the numbers of the guards named for it, and no names.
 *
 * A number that is not on the list is no lock: somebody says why, and that is told to command. Without a list any number is taken.
 */

import { ask, field } from "./dialogs";
import { type Language, say } from "./words";

/** The number as the list spells it; null where there is a list and it is not on it. */
export function guardOf(typed: string, listed: readonly string[]): string | null {
  const plain = plainNumber(typed);
  if (listed.length === 0) return plain;
  return listed.find((one) => plainNumber(one).toUpperCase() === plain.toUpperCase()) ?? null;
}

/** At most 24 characters: a row or signal takes no more. */
export function plainNumber(typed: string): string {
  return [...typed.normalize("NFKC").trim()].slice(0, 24).join("");
}

/** Take this number; where the list does not have it, once somebody has said who admits them and why. */
export function admit(
  typed: string,
  of: {
    readonly language: Language;
    readonly listed: readonly string[];
    readonly take: (guard: string) => Promise<void>;
    readonly admitted: (facts: { guard: string; by: string; why: string }) => Promise<void>;
  },
): Promise<void> {
  const known = guardOf(typed, of.listed);
  if (known !== null) return of.take(known);
  const guard = plainNumber(typed);
  const { language } = of;
  const show = (): void => {
    const [byLabel, by] = field(say("admitted_by", language), { maxlength: "24", name: "by" });
    const [whyLabel, why] = field(say("admitted_why", language), { maxlength: "24", name: "why" });
    ask(`${say("not_listed", language)} ${guard}`, language, [byLabel, whyLabel], say("admit", language), async () => {
      const facts = { guard, by: plainNumber(by.value), why: plainNumber(why.value) };
      if (facts.by === "" || facts.why === "") return "admitted_both";
      if (facts.by.toUpperCase() === guard.toUpperCase()) return "admitted_other";
      await of.admitted(facts);
      await of.take(guard);
      return null;
    });
    by.focus();
  };
  // One dialog after the other: the focus of the first goes back before the second takes it.
  const before = document.querySelector<HTMLDialogElement>("dialog[open]");
  if (before === null) show();
  else before.addEventListener("close", show, { once: true });
  return Promise.resolve();
}
