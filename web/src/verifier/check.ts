/** From what was scanned or chosen to what is proved; every failure has a plain reason. */

import { type Bytes, concat } from "../bytes";
import { NotCanonical } from "../cbor";
import { parseEntry } from "../chain/entry";
import { Malformed, NotSigned } from "../chain/note";
import { type Organ, signerOf } from "../chain/organs";
import { fromQrText, parseTlogProof, type Proved, QR_PREFIX, verifyPaperProof, verifyTlogProof } from "../chain/proof";
import { isSheet } from "../chain/sheets";
import { leafHash, NotProved } from "../chain/tree";
import type { Trust } from "./policy_file";

/** A code of the largest proof, in Base45, is shorter. */
const LONGEST_TEXT = 20_000;

export type Failure = "not_a_proof" | "not_signed" | "not_proved" | "pass_code" | "needs_record" | "no_policy";

/** Whose act it is: the organ; "unknown" when the list does not have the key, "unchecked" when there is no list. */
export type Signer = Organ | "unknown" | "unchecked";

export type Checked =
  | { readonly kind: "proved"; readonly proved: Proved; readonly signer: Signer }
  | { readonly kind: "failed"; readonly why: Failure; readonly detail: string };

async function checked(trust: Trust, work: () => Promise<Proved>): Promise<Checked> {
  try {
    const proved = await work();
    return { kind: "proved", proved, signer: await signer(proved, trust) };
  } catch (error) {
    if (error instanceof NotCanonical || error instanceof Malformed) return failed("not_a_proof", error.message);
    if (error instanceof NotSigned) return failed("not_signed", error.message);
    if (error instanceof NotProved) return failed("not_proved", error.message);
    throw error;
  }
}

async function signer({ entry }: Proved, { organs }: Trust): Promise<Signer> {
  if (organs === null || entry === null) return "unchecked";
  return (await signerOf(entry, organs)) ?? "unknown";
}

export function failed(why: Failure, detail = ""): Checked {
  return { kind: "failed", why, detail };
}

/** A QR code's text, from camera or picture. */
export function checkText(text: string, trust: Trust): Promise<Checked> {
  if (text.startsWith("LF1:")) return Promise.resolve(failed("pass_code"));
  if (!text.startsWith(QR_PREFIX)) return Promise.resolve(failed("not_a_proof"));
  return checked(trust, () => verifyPaperProof(fromQrText(text.trim()), trust.policy));
}

/** The code that a downloaded text file holds; null when it is something else, a picture perhaps. */
export function codeText(data: Bytes): string | null {
  const text = new TextDecoder().decode(data.subarray(0, LONGEST_TEXT)).trim();
  return text.startsWith(QR_PREFIX) || isSheet(text) ? text : null;
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
  return checked(trust, async () => {
    const proved = await verifyTlogProof(proof, leafHash(record), trust.policy);
    return { ...proved, entry: parseEntry(record) };
  });
}

export function bytesOf(buffer: ArrayBuffer): Bytes {
  return concat(new Uint8Array(buffer));
}
