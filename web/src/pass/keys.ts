/**
 * P-256 keys: COSE_Key maps, thumbprints, and ES256 verification.
 *
 * WebCrypto verifies where it exists; pure JavaScript elsewhere (`crypto.subtle` is missing on
 * plain http). Imported keys are kept, because importing costs as much as verifying.
 */

import { p256 } from "@noble/curves/nist.js";
import { type Bytes, concat, hex } from "../bytes";
import { sha256 } from "../chain/hash";
import { CborMap, encode, type Value } from "../cbor";
import { Rejected } from "./rejected";

const SIZE = 32;
/** Phones of the last hours at a busy gate. */
const HOLDERS = 1000;
const holders = new Map<string, PublicKey>();

export class PublicKey {
  private handle: Promise<CryptoKey | null> | undefined;
  private print: Bytes | undefined;

  private constructor(
    readonly x: Bytes,
    readonly y: Bytes,
  ) {}

  /** @throws Rejected `key`: not exactly a P-256 key, or not a point of the curve */
  static read(value: Value | undefined): PublicKey {
    if (!(value instanceof CborMap) || value.size !== 4) throw new Rejected("key");
    const [kty, crv, x, y] = [value.get(1), value.get(-1), value.get(-2), value.get(-3)];
    if (kty !== 2 || crv !== 1 || !(x instanceof Uint8Array) || x.length !== SIZE) throw new Rejected("key");
    if (typeof y === "boolean") return PublicKey.fromPoint(concat(new Uint8Array([y ? 3 : 2]), x));
    if (y instanceof Uint8Array && y.length === SIZE) return PublicKey.fromPoint(concat(new Uint8Array([4]), x, y));
    throw new Rejected("key");
  }

  /**
   * The key of a phone that may come again, and is then neither unpacked nor imported anew: both cost as much as verifying.
   *
   * @throws Rejected `key`
   */
  static ofHolder(value: Value | undefined): PublicKey {
    const x = value instanceof CborMap ? value.get(-2) : undefined;
    const y = value instanceof CborMap ? value.get(-3) : undefined;
    if (!(value instanceof CborMap) || !(x instanceof Uint8Array) || typeof y !== "boolean") return PublicKey.read(value);
    const name = `${value.get(1)} ${value.get(-1)} ${value.size} ${y} ${String.fromCharCode(...x)}`;
    const key = holders.get(name) ?? PublicKey.read(value);
    holders.delete(name);
    holders.set(name, key);
    const [oldest] = holders.keys();
    if (holders.size > HOLDERS && oldest !== undefined) holders.delete(oldest);
    return key;
  }

  static fromPoint(point: Uint8Array): PublicKey {
    try {
      const whole = p256.Point.fromBytes(point).toBytes(false);
      return new PublicKey(whole.slice(1, 33) as Bytes, whole.slice(33) as Bytes);
    } catch {
      throw new Rejected("key");
    }
  }

  get point(): Bytes {
    return concat(new Uint8Array([4]), this.x, this.y);
  }

  cose(): CborMap {
    return new CborMap([
      [1, 2],
      [-1, 1],
      [-2, this.x],
      [-3, this.y],
    ]);
  }

  /** SHA-256 of the deterministic COSE_Key with the whole y (RFC 9679). */
  get thumbprint(): Bytes {
    this.print ??= sha256(encode(this.cose()));
    return this.print;
  }

  get name(): string {
    return hex(this.thumbprint);
  }

  /** The first four bytes of the thumbprint. Not unique: a verifier tries every key that has it. */
  get kid(): Bytes {
    return this.thumbprint.slice(0, 4);
  }

  /** ES256 over `message`; the signature is r and s, 32 bytes each. Never throws. */
  async verify(message: Bytes, signature: Bytes): Promise<boolean> {
    const handle = await (this.handle ??= this.import());
    if (handle !== null) {
      return crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, handle, signature, message);
    }
    return verifyInScript(this.point, message, signature);
  }

  private async import(): Promise<CryptoKey | null> {
    if (globalThis.crypto?.subtle === undefined) return null;
    try {
      return await crypto.subtle.importKey("raw", this.point, { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
    } catch {
      return null;
    }
  }
}

/** The fallback: the same answers as WebCrypto, some twenty times slower. */
export function verifyInScript(point: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    // lowS off: ECDSA has two valid signatures per message, and both must count on both sides.
    return p256.verify(signature, message, point, { lowS: false });
  } catch {
    return false;
  }
}
