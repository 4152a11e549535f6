/**
 * COSE_Sign1 with ES256 on P-256, as narrow as our tokens need it (twin of `lianfang_pass.cose`).
 *
 * Tag 18 is demanded and the unprotected map must be empty. A signature can be altered into a
 * second valid one, so the identity of a token is `cti`, never its hash.
 */

import type { Bytes } from "../bytes";
import { CborMap, decode, encode, MAX_BYTES, NotCanonical, Tag, type Value } from "../cbor";
import type { PublicKey } from "./keys";
import { Rejected } from "./rejected";

export const ALG = 1;
export const KID = 4;
export const KCWT = 13;
export const TYP = 16;
const ES256 = -7;
const ESP256 = -9;
const NOTHING = new Uint8Array(0);

export interface Sign1 {
  readonly header: CborMap;
  readonly headerBytes: Bytes;
  readonly payload: Bytes;
  readonly signature: Bytes;
}

export function kidOf(token: Sign1): Bytes {
  const kid = token.header.get(KID);
  return kid instanceof Uint8Array ? (kid as Bytes) : NOTHING;
}

export function toBeSigned(headerBytes: Bytes, payload: Bytes): Bytes {
  return encode(["Signature1", headerBytes, NOTHING, payload]);
}

export function verifiedBy(token: Sign1, key: PublicKey): Promise<boolean> {
  return key.verify(toBeSigned(token.headerBytes, token.payload), token.signature);
}

/** @throws Rejected `cbor` */
export function decodeStrict(data: Uint8Array, maxBytes: number = MAX_BYTES): Value {
  try {
    return decode(data, maxBytes);
  } catch (error) {
    if (error instanceof NotCanonical) throw new Rejected("cbor");
    throw error;
  }
}

/** A COSE_Sign1 with exactly these protected headers. The signature is not yet checked. */
export function read1(data: Uint8Array, headers: readonly number[], maxBytes: number = MAX_BYTES): Sign1 {
  return read1Value(decodeStrict(data, maxBytes), headers);
}

/** @throws Rejected `cbor`, `cose`, `alg` */
export function read1Value(value: Value | undefined, headers: readonly number[]): Sign1 {
  if (!(value instanceof Tag) || value.number !== 18 || !Array.isArray(value.value) || value.value.length !== 4) {
    throw new Rejected("cose");
  }
  const [headerBytes, unprotected, payload, signature] = value.value;
  if (!(headerBytes instanceof Uint8Array) || !(unprotected instanceof CborMap) || unprotected.size !== 0) {
    throw new Rejected("cose");
  }
  if (!(payload instanceof Uint8Array) || !(signature instanceof Uint8Array) || signature.length !== 64) {
    throw new Rejected("cose");
  }
  const header = decodeStrict(headerBytes);
  if (!(header instanceof CborMap) || header.size !== headers.length || !headers.every((key) => header.has(key))) {
    throw new Rejected("cose");
  }
  const alg = header.get(ALG);
  if (alg !== ES256 && alg !== ESP256) throw new Rejected("alg");
  if (headers.includes(KID) && !(header.get(KID) instanceof Uint8Array)) throw new Rejected("cose");
  return { header, headerBytes: headerBytes as Bytes, payload: payload as Bytes, signature: signature as Bytes };
}

/** Sign with a WebCrypto key: what the holder's phone does. */
export async function sign1(
  header: readonly (readonly [number, Value])[],
  payload: CborMap,
  key: CryptoKey,
): Promise<Bytes> {
  const headerBytes = encode(new CborMap([[ALG, ES256], ...header]));
  const body = encode(payload);
  const signature = await crypto.subtle.sign(
    { name: "ECDSA", hash: "SHA-256" },
    key,
    toBeSigned(headerBytes, body),
  );
  return encode(new Tag(18, [headerBytes, new CborMap(), body, new Uint8Array(signature)]));
}
