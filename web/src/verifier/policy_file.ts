/**
 * Whom this page trusts: the policy file that stands beside it, pinned at the first visit.
 *
 * A file that later says something else is shown, never taken silently: whoever could swap the
 * policy could invent three witnesses.
 */

import { Policy } from "../chain/policy";

const PINNED = "lianfang-verifier-policy";

export interface Trust {
  readonly policy: Policy;
  readonly text: string;
  /** The file as it stands on the server now, where it differs from the pinned one. */
  readonly changedTo: string | null;
}

/** Null where no policy was ever seen: nothing can be verified then. */
export async function trusted(): Promise<Trust | null> {
  const pinned = localStorage.getItem(PINNED);
  const now = await fetched();
  const text = pinned ?? now;
  if (text === null) return null;
  if (pinned === null) localStorage.setItem(PINNED, text);
  return { policy: Policy.parse(text), text, changedTo: now !== null && now !== text ? now : null };
}

/** The reader has compared the new file with what the three parties publish, and takes it. */
export function take(text: string): void {
  Policy.parse(text);
  localStorage.setItem(PINNED, text);
}

async function fetched(): Promise<string | null> {
  try {
    const answer = await fetch("./policy.txt", { cache: "no-store", redirect: "error" });
    if (!answer.ok) return null;
    const text = await answer.text();
    // A captive portal answers 200 with its own page; that is no policy.
    Policy.parse(text);
    return text;
  } catch {
    return null;
  }
}
