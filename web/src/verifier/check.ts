/** From what was scanned or chosen to what is proved; every failure has a plain reason. */

import { type Bytes, concat } from "../bytes";
import { NotCanonical } from "../cbor";
import { parseEntry } from "../chain/entry";
import { Malformed, NotSigned } from "../chain/note";
import type { Policy } from "../chain/policy";
import { fromQrText, parseTlogProof, type Proved, QR_PREFIX, verifyPaperProof, verifyTlogProof } from "../chain/proof";
import { leafHash, NotProved } from "../chain/tree";

export type Failure = "not_a_proof" | "not_signed" | "not_proved" | "pass_code" | "needs_record" | "no_policy";

export type Checked =
  | { readonly kind: "proved"; readonly proved: Proved }
  | { readonly kind: "failed"; readonly why: Failure; readonly detail: string };

async function checked(work: () => Promise<Proved>): Promise<Checked> {
  try {
    return { kind: "proved", proved: await work() };
  } catch (error) {
    if (error instanceof NotCanonical || error instanceof Malformed) return failed("not_a_proof", error.message);
    if (error instanceof NotSigned) return failed("not_signed", error.message);
    if (error instanceof NotProved) return failed("not_proved", error.message);
    throw error;
  }
}

export function failed(why: Failure, detail = ""): Checked {
  return { kind: "failed", why, detail };
}

/** A QR code's text, from camera or picture. */
export function checkText(text: string, policy: Policy): Promise<Checked> {
  if (text.startsWith("LF1:")) return Promise.resolve(failed("pass_code"));
  if (!text.startsWith(QR_PREFIX)) return Promise.resolve(failed("not_a_proof"));
  return checked(() => verifyPaperProof(fromQrText(text.trim()), policy));
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
export function checkFiles(proof: Bytes, record: Bytes, policy: Policy): Promise<Checked> {
  return checked(async () => {
    const proved = await verifyTlogProof(proof, leafHash(record), policy);
    return { ...proved, entry: parseEntry(record) };
  });
}

export function bytesOf(buffer: ArrayBuffer): Bytes {
  return concat(new Uint8Array(buffer));
}
