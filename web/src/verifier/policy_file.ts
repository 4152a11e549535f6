/**
 * Whom this page trusts: the policy file that stands beside it, pinned at the first visit, and the list of the
 * organs' keys, which a log of that policy signs.
 *
 * A policy that later says something else is shown, never taken silently: whoever could swap it could invent three
 * witnesses. It can be taken from the server only when the parties of the pinned one vouch for each change (`vouched`); else
 * the reader gets the file from a party's hand and opens it here. Of a chain that has ended the file is kept, for its
 * papers; of the same chain the newest judges alone, for it says who was in office before. A list of organs is taken when
 * the pinned policy's log signed it and it keeps every line of the pinned list, for new organs begin to act every week; one
 * that drops or changes a line is shown and not taken.
 */

import { utf8 } from "../bytes";
import { Malformed, NotSigned } from "../chain/note";
import { continues, openOrgans, type Organ } from "../chain/organs";
import { type Change, Policy } from "../chain/policy";
import { vouched } from "../chain/vouched";

const PINNED = "lianfang-verifier-policy";
const PINNED_ORGANS = "lianfang-verifier-organs";
/** Those of chains that have ended: text, organs, and until when this device trusted it. */
const EARLIER = "lianfang-verifier-earlier";

export interface TrustFile {
  readonly policy: Policy;
  readonly text: string;
  /** Null where no list was ever seen: whose act an entry is, is not checked then. */
  readonly organs: readonly Organ[] | null;
  /** The day on which another took its place on this device; null for the present one. */
  readonly until: string | null;
}

/** A file that says something else than the pinned one. */
export interface Offer {
  readonly text: string;
  /** The changes, each seen by a quorum of the file before it; null where the pinned file's parties do not say so. */
  readonly vouched: readonly Change[] | null;
  /** Whether the reader opened it here, and the server did not send it. */
  readonly byHand: boolean;
}

export interface Trust extends TrustFile {
  readonly changedTo: Offer | null;
  /** The server's list of organs, where it does not go on from the pinned one. */
  readonly organsBroken: string | null;
  /** Of chains that have ended, the newest first. */
  readonly earlier: readonly TrustFile[];
}

/** Null where no policy was ever seen: nothing can be verified then. */
export async function trusted(): Promise<Trust | null> {
  const [now, organsNow] = await Promise.all([fetched("./policy.txt"), fetched("./organs.txt")]);
  const pinned = localStorage.getItem(PINNED);
  // A captive portal answers 200 with its own page; that is no policy.
  const offered = now === null ? null : parsed(now);
  const text = pinned ?? (offered === null ? null : now);
  if (text === null) return null;
  if (pinned === null) localStorage.setItem(PINNED, text);
  const policy = Policy.parse(text);
  return {
    policy,
    text,
    until: null,
    changedTo: now === null || offered === null ? null : await offer(now, offered, policy, { byHand: false }),
    earlier: await earlier(),
    ...(await organsOf(policy, organsNow)),
  };
}

/** What the reader is asked about a file; null where it says the same as the pinned one. */
async function offer(text: string, offered: Policy, policy: Policy, { byHand }: { readonly byHand: boolean }): Promise<Offer | null> {
  if (offered.content === policy.content) return null;
  return { text, byHand, vouched: await vouched(offered, policy, (index) => fetched(`../chain/policy-change/${index}.txt`)) };
}

/** The same trust with a file that somebody handed to the reader. */
export async function handed(text: string, trust: Trust): Promise<Trust> {
  return { ...trust, changedTo: await offer(text, Policy.parse(text), trust.policy, { byHand: true }) };
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

interface Kept {
  readonly text: string;
  readonly organs: string | null;
  readonly until: string;
}

function kept(): Kept[] {
  return JSON.parse(localStorage.getItem(EARLIER) ?? "[]") as Kept[]; // written by `take` alone
}

async function earlier(): Promise<TrustFile[]> {
  return Promise.all(
    kept().map(async ({ text, organs, until }) => {
      const policy = Policy.parse(text);
      return { policy, text, until, organs: await opened(organs, policy) };
    }),
  );
}

/** The reader takes the offered file. Where it is of another chain, the one before is kept for that chain's papers. */
export function take(text: string, today: string): void {
  const before = localStorage.getItem(PINNED);
  if (before !== null && !sameLog(Policy.parse(before), Policy.parse(text))) {
    const ended = { text: before, organs: localStorage.getItem(PINNED_ORGANS), until: today };
    localStorage.setItem(EARLIER, JSON.stringify([ended, ...kept()]));
    localStorage.removeItem(PINNED_ORGANS);
  }
  localStorage.setItem(PINNED, text);
}

function sameLog(one: Policy, other: Policy): boolean {
  return one.logs.some((log) => other.logs.some((key) => String(key) === String(log)));
}

function parsed(text: string): Policy | null {
  try {
    return Policy.parse(text);
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
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
