/**
 * Enrolment of a device: a QR code or link with a one-time code and the root key's thumbprint.
 *
 * The link's fragment never leaves the browser by itself. What comes back is believed because
 * its root key has the thumbprint of the code that the guard scanned from the desk's screen.
 */

import { type Bytes, concat, equal, fromBase64url } from "../bytes";
import { CborMap, type Value } from "../cbor";
import { acceptKeyList, type KeyList } from "../pass/keylist";
import { PublicKey } from "../pass/keys";
import { Rejected } from "../pass/rejected";
import { encodeEnrolment, mapOf, send } from "./server";
import type { Enrolment, GateKind, GateStore, PostFacts } from "./store";

export interface Invitation {
  readonly code: Bytes;
  readonly thumbprint: Bytes;
  readonly gate: Bytes;
}

/** What the address of an enrolment QR code says; null where it is not one. */
export function readInvitation(address: string): Invitation | null {
  const match = /#enrol=([A-Za-z0-9_-]+)$/.exec(address.trim());
  if (match === null) return null;
  try {
    const map = mapOf(fromBase64url(match[1] ?? ""));
    if (map.get(1) !== 1 || map.size !== 4) return null;
    return { code: bytes(map.get(2), 16), thumbprint: bytes(map.get(3), 32), gate: bytes(map.get(4), 16) };
  } catch {
    return null;
  }
}

/** @throws Unreachable, Rejected (`refused` with the server's code in `cause`, `root`, form) */
export async function enrol(invitation: Invitation, store: GateStore): Promise<KeyList> {
  const deviceKey = (await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, [
    "sign",
    "verify",
  ])) as CryptoKeyPair;
  const markKey = await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const body = encodeEnrolment(invitation.code, await coseKey(deviceKey.publicKey));
  const answer = await send(
    "/api/v1/gates/enrol",
    { method: "POST", headers: { "Content-Type": "application/cbor" }, body },
    30,
    null,
  );
  if (answer.status !== 201) throw new Rejected(answer.status === 409 ? "used" : "refused");
  const map = mapOf(answer.body);
  const root = PublicKey.read(map.get(7));
  const gate = bytes(map.get(3), 16);
  if (!equal(gate, invitation.gate)) throw new Rejected("gate");
  const keyList = bytes(map.get(8));
  // Refuses a root key that is not the one of the QR code.
  const keys = await acceptKeyList(keyList, root, invitation.thumbprint, null);
  const enrolment: Enrolment = {
    device: bytes(map.get(2), 16),
    gate,
    ...postFacts(map),
    rootPoint: root.point,
    rootThumbprint: invitation.thumbprint,
    deviceKey,
    markKey,
  };
  await store.enrol(enrolment, keyList);
  return keys;
}

/** What the server says of the own post, in the answer to the enrolment and in the file of the post. @throws Rejected */
export function postFacts(map: CborMap): PostFacts {
  if (map.get(1) !== 1) throw new Rejected("format");
  const shards = textList(map.get(6));
  if (shards.length === 0) throw new Rejected("claims");
  return {
    gateName: text(map.get(4)),
    compounds: textList(map.get(5)),
    shards,
    communityPhone: text(map.get(9)),
    kind: gateKind(map.get(10)),
    // A server of before names none.
    guards: textList(map.get(11) ?? []),
  };
}

async function coseKey(key: CryptoKey): Promise<CborMap> {
  const point = new Uint8Array(await crypto.subtle.exportKey("raw", key));
  return new CborMap([
    [1, 2],
    [-1, 1],
    [-2, point.slice(1, 33)],
    [-3, point.slice(33)],
  ]);
}

function bytes(value: Value | undefined, length?: number): Bytes {
  if (!(value instanceof Uint8Array) || (length !== undefined && value.length !== length)) throw new Rejected("claims");
  return concat(value);
}

function text(value: Value | undefined): string {
  if (typeof value !== "string") throw new Rejected("claims");
  return value;
}

function textList(value: Value | undefined): string[] {
  if (!Array.isArray(value)) throw new Rejected("claims");
  return value.map(text);
}

function gateKind(value: Value | undefined): GateKind {
  if (value === "compound" || value === "road" || value === "site" || value === "venue") return value;
  throw new Rejected("claims");
}
