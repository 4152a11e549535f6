/** What the benchmark needs of the gate's pure code. */

import { p256 } from "@noble/curves/nist.js";
import { equal, utf8 } from "../src/bytes";
import { CborMap, decode } from "../src/cbor";
import { sha256 } from "../src/chain/hash";
import { fromText, toText } from "../src/pass/base45";
import { CNF } from "../src/pass/claims";
import { KID, kidOf, sign1, toBeSigned } from "../src/pass/cose";
import type { KeyList } from "../src/pass/keylist";
import { readToken, signCode } from "../src/pass/tokens";

export { acceptKeyList } from "../src/pass/keylist";
export { PublicKey } from "../src/pass/keys";
export { look } from "../src/pass/scan";
export { acceptList } from "../src/pass/statuslist";

/** Key, message and signature of one pass, for the bare verification. */
export function bareOf(text: string, keys: KeyList): { key: Uint8Array; message: Uint8Array; signature: Uint8Array } {
  const { token } = readToken(fromText(text));
  const listed = keys.keys.find((one) => one.purpose === "pass" && equal(one.key.kid, kidOf(token)));
  if (listed === undefined) throw new Error("no key");
  return { key: listed.key.point, message: toBeSigned(token.headerBytes, token.payload), signature: token.signature };
}

const ECDSA = { name: "ECDSA", namedCurve: "P-256" } as const;

/** Rotating codes like this one, each of a phone that was never seen before. */
export async function otherPhones(text: string, at: number, count: number): Promise<string[]> {
  const like = readToken(fromText(text));
  if (like.what !== "code") throw new Error("no code");
  // The issuer's key of the shared vectors, which is nobody's.
  const secret = sha256(utf8("lianfang vector key pass"));
  const point = p256.getPublicKey(secret, false);
  const base64 = (bytes: Uint8Array): string =>
    btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const jwk = { kty: "EC", crv: "P-256", x: base64(point.slice(1, 33)), y: base64(point.slice(33)), d: base64(secret) };
  const issuer = await crypto.subtle.importKey("jwk", jwk, ECDSA, false, ["sign"]);
  const codes: string[] = [];
  for (let i = 0; i < count; i++) {
    const holder = (await crypto.subtle.generateKey(ECDSA, false, ["sign", "verify"])) as CryptoKeyPair;
    const raw = new Uint8Array(await crypto.subtle.exportKey("raw", holder.publicKey));
    const key = new CborMap([[1, 2], [-1, 1], [-2, raw.slice(1, 33)], [-3, (raw[64] ?? 0) % 2 === 1]]);
    const claims = decode(like.inner.payload);
    if (!(claims instanceof CborMap)) throw new Error("no claims");
    const changed = claims.pairs().map(([name, value]) => [name, name === CNF ? new CborMap([[1, key]]) : value] as const);
    const pass = await sign1([[KID, kidOf(like.inner)]], new CborMap(changed), issuer);
    codes.push(toText(await signCode(pass, at, holder.privateKey)));
  }
  return codes;
}
