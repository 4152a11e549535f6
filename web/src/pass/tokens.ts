/**
 * Passes, rotating codes and slips, read strictly (twin of `lianfang_pass.tokens`).
 *
 * `readToken` gives the claims of something of the right form; whether a key of the right
 * purpose signed it is asked of the key list. Nothing here asks the time.
 */

import type { Bytes } from "../bytes";
import { CborMap, type Value } from "../cbor";
import { AUD, Claims, CNF, CNONCE, CTI, EXP, IAT, ISSUER, LF, NBF, STATUS, texts } from "./claims";
import { ALG, decodeStrict, KCWT, KID, read1Value, type Sign1, sign1, TYP, verifiedBy } from "./cose";
import { PublicKey } from "./keys";
import { Rejected } from "./rejected";

const KBT_TYPE = 294;
/** How far a rotating code may lie from the gate's time, before or after. */
export const CODE_WINDOW = 90;
const LONGEST_LIFE = 31 * 86_400;
const MAX_INDEX = 2 ** 32 - 1;
const MOST_BYTES = 2048;

export const PASS_CLASSES = ["H", "W", "S", "V", "X", "M", "P"] as const;
export type PassClass = (typeof PASS_CLASSES)[number];
export const FLAG = { PAPER: 1, SOFT_KEY: 2, NOT_CLEARED: 4, PROXY: 8 } as const;

export interface Identity {
  readonly door: string;
  readonly memberNo: number | null;
  readonly initials: string;
  readonly birthYear: number | null;
}

export interface Pass {
  readonly cti: Bytes;
  readonly issuedAt: number;
  readonly notBefore: number | null;
  readonly expiresAt: number;
  readonly listUri: string;
  readonly index: number;
  readonly kind: PassClass;
  readonly identity: Identity;
  readonly zones: readonly string[];
  readonly flags: number;
  readonly holderKey: PublicKey | null;
}

export type SlipKind = "R" | "L" | "O";

export interface Slip {
  readonly cti: Bytes;
  readonly kind: SlipKind;
  readonly issuedAt: number;
  readonly notBefore: number;
  readonly expiresAt: number;
  readonly orderNo: string;
  readonly identity: Identity;
  readonly start: number;
  readonly end: number;
}

export type Token =
  | { readonly what: "pass"; readonly token: Sign1; readonly pass: Pass }
  | { readonly what: "slip"; readonly token: Sign1; readonly slip: Slip }
  | {
      readonly what: "code";
      readonly token: Sign1;
      readonly inner: Sign1;
      readonly pass: Pass;
      readonly signedAt: number;
    };

const ISSUED = [ALG, KID] as const;
const BOUND = [ALG, KCWT, TYP] as const;

/** @throws Rejected: it is none of the three */
export function readToken(data: Uint8Array): Token {
  const value = decodeStrict(data, MOST_BYTES);
  let token: Sign1;
  try {
    token = read1Value(value, ISSUED);
  } catch (error) {
    if (!(error instanceof Rejected) || error.code !== "cose") throw error;
    return readCode(read1Value(value, BOUND));
  }
  const claims = Claims.of(token.payload);
  return claims.has(STATUS)
    ? { what: "pass", token, pass: readPass(claims) }
    : { what: "slip", token, slip: readSlip(claims) };
}

/** Whether the phone that owns the pass signed this rotating code. */
export async function holderSigned(code: { readonly token: Sign1; readonly pass: Pass }): Promise<boolean> {
  return code.pass.holderKey !== null && verifiedBy(code.token, code.pass.holderKey);
}

function readCode(token: Sign1): Token {
  if (token.header.get(TYP) !== KBT_TYPE) throw new Rejected("typ");
  const inner = read1Value(token.header.get(KCWT), ISSUED);
  const claims = Claims.decoded(token.payload);
  if (claims.text(AUD) !== ISSUER) throw new Rejected("aud");
  const signedAt = claims.number(IAT);
  if (claims.has(CNONCE)) claims.raw(CNONCE, { least: 8, most: 64 });
  claims.done();
  const pass = readPass(Claims.of(inner.payload));
  if (pass.holderKey === null) throw new Rejected("cnf");
  return { what: "code", token, inner, pass, signedAt };
}

function readPass(claims: Claims): Pass {
  const status = claims.inner(STATUS);
  const reference = status.inner("status_list");
  status.done();
  const index = reference.number("idx", { most: MAX_INDEX });
  const listUri = reference.text("uri");
  reference.done();
  let holderKey: PublicKey | null = null;
  if (claims.has(CNF)) {
    const confirmation = claims.inner(CNF);
    holderKey = PublicKey.ofHolder(confirmation.take(1));
    confirmation.done();
  }
  const lf = claims.inner(LF);
  const letter = lf.text(1, { most: 1 });
  const kind = PASS_CLASSES.find((known) => known === letter) ?? refuse();
  const flags = lf.number(6, { most: 15 });
  if (((flags & FLAG.PAPER) !== 0) !== (holderKey === null)) refuse();
  const pass: Pass = {
    cti: claims.raw(CTI, { least: 8, most: 8 }),
    issuedAt: claims.number(IAT),
    notBefore: claims.maybeNumber(NBF),
    expiresAt: claims.number(EXP),
    listUri,
    index,
    kind,
    identity: readIdentity(lf),
    zones: texts(lf.items(3, 8), 32),
    flags,
    holderKey,
  };
  lf.done();
  claims.done();
  const begins = pass.notBefore || pass.issuedAt;
  if (!(begins < pass.expiresAt && pass.expiresAt <= begins + LONGEST_LIFE)) refuse();
  return pass;
}

function readSlip(claims: Claims): Slip {
  const lf = claims.inner(LF);
  const kind = lf.text(7, { most: 1 });
  if (kind !== "R" && kind !== "L" && kind !== "O") refuse();
  const slip: Slip = {
    cti: claims.raw(CTI, { least: 8, most: 8 }),
    kind,
    issuedAt: claims.number(IAT),
    notBefore: claims.number(NBF),
    expiresAt: claims.number(EXP),
    orderNo: lf.text(8, { most: 48 }),
    identity: readIdentity(lf),
    start: lf.number(9),
    end: lf.number(10),
  };
  lf.done();
  claims.done();
  if (!(slip.start < slip.end && slip.notBefore < slip.expiresAt)) refuse();
  // The instant from which a slip counts follows from its kind; a slip that says otherwise is no slip.
  if (slip.kind === "R" && slip.notBefore !== slip.end) refuse();
  if (slip.kind === "O" && slip.notBefore !== slip.start) refuse();
  return slip;
}

function readIdentity(lf: Claims): Identity {
  return {
    door: lf.text(2, { most: 32 }),
    memberNo: lf.maybeNumber(11, { least: 1, most: 99 }),
    initials: lf.text(4, { most: 8 }),
    birthYear: lf.maybeNumber(5, { least: 1880, most: 2100 }),
  };
}

function refuse(): never {
  throw new Rejected("claims");
}

/** Bind a pass to an instant with the holder's key: what the phone does every 30 seconds. */
export function signCode(passToken: Uint8Array, at: number, key: CryptoKey): Promise<Bytes> {
  const inner: Value = decodeStrict(passToken, MOST_BYTES);
  return sign1(
    [
      [KCWT, inner],
      [TYP, KBT_TYPE],
    ],
    new CborMap([
      [AUD, ISSUER],
      [IAT, at],
    ]),
    key,
  );
}

/** The four fields by which a slip belongs to a pass; never `cti` or index, which change at renewal. */
export function sameIdentity(a: Identity, b: Identity): boolean {
  return a.door === b.door && a.memberNo === b.memberNo && a.initials === b.initials && a.birthYear === b.birthYear;
}

