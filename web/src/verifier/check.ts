/** From what was scanned or chosen to what is proved; every failure has a plain reason. */

import { type Bytes, concat } from "../bytes";
import { NotCanonical } from "../cbor";
import { parseEntry } from "../chain/entry";
import { EVIDENCE, type Fork, verifyEvidence } from "../chain/evidence";
import { Malformed, NotSigned, UnknownWitness } from "../chain/note";
import { signerOf, type SignedBy } from "../chain/organs";
import { Policy } from "../chain/policy";
import { fromQrText, parseTlogProof, type Proved, QR_PREFIX, verifyPaperProof, verifyTlogProof } from "../chain/proof";
import { READING, type Reading, verifyReadingProof } from "../chain/reading";
import { isSheet } from "../chain/sheets";
import { leafHash, NotProved } from "../chain/tree";
import type { Trust, TrustFile } from "./policy_file";

/** A code of the largest proof, in Base45, is shorter; so is a reading's, and evidence of a fork. */
const LONGEST_TEXT = 100_000;

export type Failure = "not_a_proof" | "not_signed" | "older_list" | "not_proved" | "pass_code" | "needs_record" | "no_policy";

/** Whose key signed the act; "unknown" when the list does not have the key, "unchecked" when there is no list. */
export type Signer = SignedBy | "unknown" | "unchecked";

export interface ProvedHere {
  readonly kind: "proved";
  readonly proved: Proved;
  readonly signer: Signer;
  /** The trust file under which it holds. */
  readonly under: TrustFile;
  /** What somebody looked at, where it is the proof of a reading. */
  readonly reading?: Reading;
}

export type Checked =
  | ProvedHere
  | { readonly kind: "forked"; readonly fork: Fork }
  | { readonly kind: "failed"; readonly why: Failure; readonly detail: string };

/** By the present trust file, and by one of a chain that has ended where the present one's log did not sign. */
async function checked(trust: Trust, work: (under: TrustFile) => Promise<Checked>): Promise<Checked> {
  let first: Checked | null = null;
  for (const under of [trust, ...trust.earlier]) {
    const found = await tried(() => work(under));
    if (found.kind !== "failed" || found.why !== "not_signed") return found;
    first ??= found;
  }
  return first ?? failed("no_policy");
}

async function tried(work: () => Promise<Checked>): Promise<Checked> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof NotCanonical || error instanceof Malformed) return failed("not_a_proof", error.message);
    if (error instanceof UnknownWitness) return failed("older_list", error.message);
    if (error instanceof NotSigned) return failed("not_signed", error.message);
    if (error instanceof NotProved) return failed("not_proved", error.message);
    throw error;
  }
}

async function provedUnder(under: TrustFile, proved: Proved): Promise<ProvedHere> {
  return { kind: "proved", proved, signer: await signer(proved, under), under };
}

async function signer({ entry, index }: Proved, { organs }: TrustFile): Promise<Signer> {
  if (organs === null || entry === null) return "unchecked";
  return (await signerOf(entry, index, organs)) ?? "unknown";
}

export function failed(why: Failure, detail = ""): Checked {
  return { kind: "failed", why, detail };
}

/** A QR code's text, from camera or picture, or the text of a file. */
export function checkText(text: string, trust: Trust): Promise<Checked> {
  const whole = text.trim();
  if (whole.startsWith("LF1:")) return Promise.resolve(failed("pass_code"));
  if (whole.startsWith(READING)) {
    return checked(trust, async (under) => {
      const { reading, proved } = await verifyReadingProof(`${whole}\n`, under.policy);
      return { ...(await provedUnder(under, proved)), reading };
    });
  }
  if (whole.startsWith(EVIDENCE)) {
    return checked(trust, async ({ policy }) => ({ kind: "forked", fork: await verifyEvidence(`${whole}\n`, policy) }));
  }
  if (!whole.startsWith(QR_PREFIX)) return Promise.resolve(failed("not_a_proof"));
  return checked(trust, async (under) => provedUnder(under, await verifyPaperProof(fromQrText(whole), under.policy)));
}

/** The proof that a text file holds; null when it is something else, a picture perhaps. */
export function codeText(data: Bytes): string | null {
  const text = new TextDecoder().decode(data.subarray(0, LONGEST_TEXT)).trim();
  return [QR_PREFIX, READING, EVIDENCE].some((first) => text.startsWith(first)) || isSheet(text) ? text : null;
}

/** A trust file that somebody handed over; null when it is something else. */
export function policyText(data: Bytes): string | null {
  const text = new TextDecoder().decode(data.subarray(0, LONGEST_TEXT));
  try {
    Policy.parse(text);
    return text;
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}

/** Whether a file is a `.tlog-proof`; its record must then be given too. */
export function isTlogProof(data: Bytes): boolean {
  try {
    parseTlogProof(data);
    return true;
  } catch {
    return false;
  }
}

/** A `.tlog-proof` with the record (the entry's bytes) it is about. */
export function checkFiles(proof: Bytes, record: Bytes, trust: Trust): Promise<Checked> {
  return checked(trust, async (under) => {
    const proved = await verifyTlogProof(proof, leafHash(record), under.policy);
    return provedUnder(under, { ...proved, entry: parseEntry(record) });
  });
}

export function bytesOf(buffer: ArrayBuffer): Bytes {
  return concat(new Uint8Array(buffer));
}
