/**
 * Ed25519 verification: WebCrypto where the browser has it, pure JavaScript elsewhere.
 *
 * Browsers got Ed25519 late (Safari 17, Firefox 129), and `crypto.subtle` is missing on plain
 * http; both fall back. A phone without it takes some 5 ms per signature instead of 0.2.
 */

import { ed25519 } from "@noble/curves/ed25519.js";
import type { Bytes } from "../bytes";

let native: boolean | undefined;

export async function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  if (native !== false && globalThis.crypto?.subtle !== undefined) {
    try {
      const key = await crypto.subtle.importKey("raw", publicKey as Bytes, { name: "Ed25519" }, false, ["verify"]);
      const good = await crypto.subtle.verify({ name: "Ed25519" }, key, signature as Bytes, message as Bytes);
      native = true;
      return good;
    } catch (error) {
      // A point that is not on the curve is refused as data; only an unknown algorithm switches over.
      if (native === true) return false;
      if (!(error instanceof DOMException) || error.name !== "NotSupportedError") return verifyInScript(publicKey, message, signature);
      native = false;
    }
  }
  return verifyInScript(publicKey, message, signature);
}

export function verifyInScript(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    // zip215 off: the strict rules of RFC 8032, as `cryptography` has them.
    return ed25519.verify(signature, message, publicKey, { zip215: false });
  } catch {
    return false;
  }
}
