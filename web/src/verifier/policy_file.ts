/**
 * Whom this page trusts: the policy file that stands beside it, pinned at the first visit, and the list of the
 * organs' keys, which a log of that policy signs.
 *
 * A policy that later says something else is shown, never taken silently: whoever could swap it could invent three
 * witnesses. A list of organs is taken when the pinned policy's log signed it and it keeps every line of the pinned
 * list, for new organs begin to act every week; one that drops or changes a line is shown and not taken.
 */

import { utf8 } from "../bytes";
import { Malformed, NotSigned } from "../chain/note";
import { continues, openOrgans, type Organ } from "../chain/organs";
import { Policy } from "../chain/policy";

const PINNED = "lianfang-verifier-policy";
const PINNED_ORGANS = "lianfang-verifier-organs";

export interface Trust {
  readonly policy: Policy;
  readonly text: string;
  /** The file as it stands on the server now, where it differs from the pinned one. */
  readonly changedTo: string | null;
  /** Null where no list was ever seen: whose act an entry is, is not checked then. */
  readonly organs: readonly Organ[] | null;
  /** The server's list of organs, where it does not go on from the pinned one. */
  readonly organsBroken: string | null;
}

/** Null where no policy was ever seen: nothing can be verified then. */
export async function trusted(): Promise<Trust | null> {
  const [now, organsNow] = await Promise.all([fetched("./policy.txt"), fetched("./organs.txt")]);
  const pinned = localStorage.getItem(PINNED);
  // A captive portal answers 200 with its own page; that is no policy.
  const offered = now !== null && isPolicy(now) ? now : null;
  const text = pinned ?? offered;
  if (text === null) return null;
  if (pinned === null) localStorage.setItem(PINNED, text);
  const policy = Policy.parse(text);
  return {
    policy,
    text,
    changedTo: offered !== null && offered !== text ? offered : null,
    ...(await organsOf(policy, organsNow)),
  };
}

async function organsOf(policy: Policy, now: string | null): Promise<Pick<Trust, "organs" | "organsBroken">> {
  const pinned = await opened(localStorage.getItem(PINNED_ORGANS), policy);
  const offered = await opened(now, policy);
  if (now === null || offered === null) return { organs: pinned, organsBroken: null };
  if (pinned !== null && !continues(offered, pinned)) return { organs: pinned, organsBroken: now };
  localStorage.setItem(PINNED_ORGANS, now);
  return { organs: offered, organsBroken: null };
}

async function opened(text: string | null, policy: Policy): Promise<Organ[] | null> {
  if (text === null) return null;
  try {
    return await openOrgans(utf8(text), policy);
  } catch (error) {
    if (error instanceof Malformed || error instanceof NotSigned) return null;
    throw error;
  }
}

/** The reader has compared the new file with what the three parties publish, and takes it. */
export function take(text: string): void {
  Policy.parse(text);
  localStorage.setItem(PINNED, text);
}

function isPolicy(text: string): boolean {
  try {
    Policy.parse(text);
    return true;
  } catch {
    return false;
  }
}

async function fetched(address: string): Promise<string | null> {
  try {
    const answer = await fetch(address, { cache: "no-store", redirect: "error" });
    return answer.ok ? await answer.text() : null;
  } catch {
    return null;
  }
}
