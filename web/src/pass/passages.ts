/**
 * A passage as the device writes it, the batch it sends, and the receipt that lets it forget.
 *
 * Twin of `lianfang_pass.passages`. Rows are sealed to the server when written (HPKE, RFC 9180:
 * DHKEM P-256, HKDF-SHA256, AES-128-GCM), so the device cannot read its own queue back.
 */

import { Aes128Gcm, CipherSuite, DhkemP256HkdfSha256, HkdfSha256 } from "@hpke/core";
import { type Bytes, concat, equal, utf8 } from "../bytes";
import { CborMap, encode, type Value } from "../cbor";
import { sha256 } from "../chain/hash";
import { Claims, EXP, IAT, RECEIPT, WITHDRAWN } from "./claims";
import { ALG, KID, read1 } from "./cose";
import type { KeyList } from "./keylist";
import type { PublicKey } from "./keys";
import { Rejected } from "./rejected";
import type { Reason, Verdict } from "./verdict";

const SEAL_INFO = utf8("lf-passage/1");
const RECEIPT_HEADERS = [ALG, KID] as const;
/** Verdicts travel as their place in this list, never re-ordered. */
const VERDICTS: readonly Verdict[] = ["ALLOW", "ALLOW_REG", "CALL", "DENY"];
export const MOST_ROWS = 500;
/** Of a sealed row, in bytes; one that carries a code is longer by that and its heads. */
export const LONGEST_ROW = 400;
/** So much of a code that could not be trusted is kept, in bytes. */
const LONGEST_CODE = 1024;

export interface ByHand {
  readonly door: string;
  readonly birthYear: number | null;
  readonly idSeen: boolean;
}

/**
 * One crossing. No name, phone, document number, photo or position; only the code of somebody whose
 * signature was bad may say any of it, because it is kept as it was read.
 */
export interface Passage {
  readonly seq: number;
  readonly gate: Bytes;
  readonly at: number;
  readonly inward: boolean;
  readonly verdict: Verdict;
  readonly reason: Reason;
  readonly listVersion: number;
  readonly proof: string;
  readonly cti: Bytes | null;
  readonly override: string | null;
  /** Tenths of a degree, only at or above the threshold. */
  readonly temperature: number | null;
  readonly byHand: ByHand | null;
  readonly guard: string | null;
  readonly rulesVersion: number;
  /** The code that could not be trusted, where that is why the gate decided so (KEEP_CODE). */
  readonly code: string | null;
}

export function encodePassage(p: Passage): Bytes {
  const row = new CborMap([
    [1, p.seq],
    [2, p.gate],
    [3, p.at],
    [4, p.inward],
    [5, VERDICTS.indexOf(p.verdict)],
    [6, p.reason],
    [8, p.listVersion],
    [9, p.proof],
    [14, p.rulesVersion],
  ]);
  const optional: readonly (readonly [number, Value])[] = [
    [7, p.cti],
    [10, p.override],
    [11, p.temperature],
    [13, p.guard],
    [15, p.code],
  ];
  for (const [key, value] of optional) if (value !== null) row.set(key, value);
  if (p.byHand !== null) {
    const hand = new CborMap([
      [1, p.byHand.door],
      [3, p.byHand.idSeen],
    ]);
    if (p.byHand.birthYear !== null) hand.set(2, p.byHand.birthYear);
    row.set(12, hand);
  }
  return encode(row);
}

/** A code as a row keeps it: its first 1,024 bytes in whole characters; null where nothing was read. */
export function codeToKeep(read: string): string | null {
  let kept = "";
  let left = LONGEST_CODE;
  // Halves of characters have no bytes; normal form C is what the other side reads.
  for (const character of new TextDecoder().decode(utf8(read)).normalize("NFC")) {
    left -= utf8(character).length;
    if (left < 0) break;
    kept += character;
  }
  return kept === "" ? null : kept;
}

const suite = new CipherSuite({
  kem: new DhkemP256HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Aes128Gcm(),
});

/** Seal a row when it is written; device and sequence number are bound to it. */
export async function sealPassage(passage: Passage, device: Bytes, to: PublicKey): Promise<Bytes> {
  return seal(encodePassage(passage), to.point, SEAL_INFO, encode([device, passage.seq]));
}

/** `enc || ciphertext`. @internal `ephemeral` is for the shared vectors alone. */
export async function seal(
  plaintext: Bytes,
  toPoint: Bytes,
  info: Bytes,
  aad: Bytes,
  ephemeral?: CryptoKeyPair,
): Promise<Bytes> {
  const recipientPublicKey = await suite.kem.importKey("raw", toPoint.buffer, true);
  const sender = await suite.createSenderContext(
    ephemeral === undefined
      ? { recipientPublicKey, info: info.buffer }
      : { recipientPublicKey, info: info.buffer, ekm: ephemeral },
  );
  const ciphertext = await sender.seal(plaintext.buffer, aad.buffer);
  return concat(new Uint8Array(sender.enc), new Uint8Array(ciphertext));
}

export interface Batch {
  readonly device: Bytes;
  readonly fromSeq: number;
  readonly rows: readonly Bytes[];
}

export function encodeBatch(batch: Batch): Bytes {
  return encode(
    new CborMap([
      [1, 1],
      [2, batch.device],
      [3, batch.fromSeq],
      [4, [...batch.rows]],
    ]),
  );
}

export interface Receipt {
  readonly device: Bytes;
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly rowsHash: Bytes;
  readonly signedAt: number;
}

/** @throws Rejected: not a receipt signed by a key of that purpose */
export async function acceptReceipt(data: Uint8Array, keys: KeyList): Promise<Receipt> {
  const token = read1(data, RECEIPT_HEADERS);
  const claims = Claims.of(token.payload);
  const signedAt = claims.number(IAT);
  if (!(await keys.signed(token, "receipt", signedAt))) throw new Rejected("signature");
  const body = claims.inner(RECEIPT);
  claims.done();
  const receipt = {
    device: body.raw(1, { least: 16, most: 16 }),
    fromSeq: body.number(2, { least: 1 }),
    toSeq: body.number(3, { least: 1 }),
    rowsHash: body.raw(4, { least: 32, most: 32 }),
    signedAt,
  };
  body.done();
  return receipt;
}

export function rowsHash(rows: readonly Bytes[]): Bytes {
  return sha256(encode([...rows]));
}

/** Whether the device may forget these rows (G-3): compared with the hash it computes itself. */
export function covers(receipt: Receipt, batch: Batch): boolean {
  return (
    equal(receipt.device, batch.device) &&
    receipt.fromSeq === batch.fromSeq &&
    receipt.toSeq === batch.fromSeq + batch.rows.length - 1 &&
    equal(receipt.rowsHash, rowsHash(batch.rows))
  );
}

/** The server's time. @throws Rejected: not a time signed by a key of purpose `receipt` */
export async function acceptTime(data: Uint8Array, keys: KeyList): Promise<number> {
  const token = read1(data, RECEIPT_HEADERS);
  const claims = Claims.of(token.payload);
  const at = claims.number(IAT);
  claims.number(EXP);
  claims.done();
  if (!(await keys.signed(token, "receipt", at))) throw new Rejected("signature");
  return at;
}

/** That this device is withdrawn (T40). @throws Rejected: not said with a key of purpose `receipt`, or said of another device */
export async function acceptWithdrawal(data: Uint8Array, device: Bytes, keys: KeyList): Promise<number> {
  const token = read1(data, RECEIPT_HEADERS);
  const claims = Claims.of(token.payload);
  const at = claims.number(IAT);
  const of = claims.raw(WITHDRAWN, { least: 16, most: 16 });
  claims.done();
  if (!(await keys.signed(token, "receipt", at))) throw new Rejected("signature");
  if (!equal(of, device)) throw new Rejected("device");
  return at;
}
