/** Reading claim maps strictly: exactly the keys that are known, each of exactly its type and range. */

import type { Bytes } from "../bytes";
import { CborMap, decode, MAX_BYTES, NotCanonical, type Value } from "../cbor";
import { Rejected } from "./rejected";

export const ISS = 1;
export const SUB = 2;
export const AUD = 3;
export const EXP = 4;
export const NBF = 5;
export const IAT = 6;
export const CTI = 7;
export const CNF = 8;
export const CNONCE = 39;
export const STATUS = 65535;
export const TTL = 65534;
export const STATUS_LIST = 65533;
export const LF = -65537;
export const VERSION = -65538;
export const DELTA = -65539;
export const UNTIL = -65540;
export const KEYS = -65541;
export const RECEIPT = -65542;
export const RULES = -65543;
export const WITHDRAWN = -65544;
export const ISSUER = "LF";
/** 2100-01-01T00:00Z. No instant of ours lies beyond it. */
export const LAST_INSTANT = 4_102_444_800;

interface Range {
  readonly least?: number;
  readonly most?: number;
}

/** A map whose entries are taken out one by one; what is left over is refused. */
export class Claims {
  private readonly left: Map<number | bigint | string, Value>;

  constructor(value: Value | undefined) {
    if (!(value instanceof CborMap)) throw new Rejected("claims");
    this.left = new Map();
    for (const [key, item] of value.pairs()) {
      if (key instanceof Uint8Array) throw new Rejected("claims");
      this.left.set(key, item);
    }
  }

  /** The claims of a token from us. */
  static of(payload: Uint8Array, maxBytes: number = MAX_BYTES): Claims {
    const claims = Claims.decoded(payload, maxBytes);
    if (claims.text(ISS) !== ISSUER) throw new Rejected("iss");
    return claims;
  }

  static decoded(payload: Uint8Array, maxBytes: number = MAX_BYTES): Claims {
    try {
      return new Claims(decode(payload, maxBytes));
    } catch (error) {
      if (error instanceof NotCanonical) throw new Rejected("cbor");
      throw error;
    }
  }

  has(key: number | string): boolean {
    return this.left.has(key);
  }

  take(key: number | string): Value {
    const value = this.left.get(key);
    if (value === undefined) throw new Rejected("claims");
    this.left.delete(key);
    return value;
  }

  number(key: number | string, { least = 0, most = LAST_INSTANT }: Range = {}): number {
    const value = this.take(key);
    if (typeof value !== "number" || value < least || value > most) throw new Rejected("claims");
    return value;
  }

  maybeNumber(key: number | string, range: Range = {}): number | null {
    return this.has(key) ? this.number(key, range) : null;
  }

  /** Lengths are counted in characters, not in UTF-16 halves, as the other side counts them. */
  text(key: number | string, { least = 1, most = 200 }: Range = {}): string {
    const value = this.take(key);
    if (typeof value !== "string") throw new Rejected("claims");
    const length = [...value].length;
    if (length < least || length > most) throw new Rejected("claims");
    return value;
  }

  raw(key: number | string, { least = 0, most = MAX_BYTES }: Range = {}): Bytes {
    const value = this.take(key);
    if (!(value instanceof Uint8Array) || value.length < least || value.length > most) throw new Rejected("claims");
    return value as Bytes;
  }

  items(key: number | string, most: number): Value[] {
    const value = this.take(key);
    if (!Array.isArray(value) || value.length > most) throw new Rejected("claims");
    return value;
  }

  inner(key: number | string): Claims {
    return new Claims(this.take(key));
  }

  done(): void {
    if (this.left.size > 0) throw new Rejected("claims");
  }
}

export function texts(values: readonly Value[], most: number): string[] {
  return values.map((value) => {
    if (typeof value !== "string") throw new Rejected("claims");
    const length = [...value].length;
    if (length < 1 || length > most) throw new Rejected("claims");
    return value;
  });
}
