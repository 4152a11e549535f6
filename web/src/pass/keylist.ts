/**
 * The signed key list: which key may sign what, when, and which are withdrawn for ever.
 *
 * Signed by the root key whose whole thumbprint the device got at enrolment.
 */

import { compare, equal, hex } from "../bytes";
import type { Value } from "../cbor";
import { Claims, EXP, IAT, KEYS, VERSION } from "./claims";
import { ALG, KID, kidOf, read1, type Sign1, TYP, verifiedBy } from "./cose";
import { PublicKey } from "./keys";
import { Rejected } from "./rejected";

export type Purpose = "pass" | "statuslist" | "delta" | "slip" | "permit" | "rules" | "receipt" | "seal";

export const FILE_HEADERS = [ALG, KID, TYP] as const;
const TYPE = "application/lf-keys+cwt";

export interface ListedKey {
  readonly key: PublicKey;
  /** A purpose we do not know is kept and never matches. */
  readonly purpose: string;
  readonly notBefore: number;
  readonly expiresAt: number;
  readonly withdrawnAt: number | null;
}

export class KeyList {
  constructor(
    readonly version: number,
    readonly issuedAt: number,
    readonly expiresAt: number,
    readonly keys: readonly ListedKey[],
    /** Thumbprints (hex) once seen as withdrawn; a later list cannot bring them back. */
    readonly withdrawn: ReadonlySet<string>,
  ) {}

  /** Whether a key of this purpose, valid at `signedAt`, signed the token. Every key of the kid is tried. */
  async signed(token: Sign1, purpose: Purpose, signedAt: number): Promise<boolean> {
    const kid = kidOf(token);
    for (const listed of this.keys) {
      if (listed.purpose !== purpose || !equal(listed.key.kid, kid)) continue;
      if (signedAt < listed.notBefore || signedAt >= listed.expiresAt) continue;
      if (this.withdrawn.has(listed.key.name)) continue;
      if (await verifiedBy(token, listed.key)) return true;
    }
    return false;
  }

  /** The key to seal rows to: the valid one that began last. */
  sealingKey(at: number): PublicKey | null {
    let best: ListedKey | null = null;
    for (const listed of this.keys) {
      if (listed.purpose !== "seal" || at < listed.notBefore || at >= listed.expiresAt) continue;
      if (this.withdrawn.has(listed.key.name)) continue;
      if (best === null || listed.notBefore > best.notBefore) best = listed;
    }
    return best?.key ?? null;
  }
}

/**
 * Read a key list and take it in place of the one held.
 *
 * @throws Rejected: form, `root`, `signature`, `rollback`
 */
export async function acceptKeyList(
  data: Uint8Array,
  root: PublicKey,
  thumbprint: Uint8Array,
  held: KeyList | null,
): Promise<KeyList> {
  if (compare(root.thumbprint, thumbprint) !== 0) throw new Rejected("root");
  const token = read1(data, FILE_HEADERS);
  if (token.header.get(TYP) !== TYPE) throw new Rejected("typ");
  if (!(await verifiedBy(token, root))) throw new Rejected("signature");
  const found = readBody(token);
  if (held === null) return found;
  if (found.version < held.version) throw new Rejected("rollback");
  if (found.version === held.version && found.issuedAt !== held.issuedAt) throw new Rejected("rollback");
  return new KeyList(
    found.version,
    found.issuedAt,
    found.expiresAt,
    found.keys,
    new Set([...found.withdrawn, ...held.withdrawn]),
  );
}

function readBody(token: Sign1): KeyList {
  const claims = Claims.of(token.payload);
  const issuedAt = claims.number(IAT);
  const expiresAt = claims.number(EXP);
  const version = claims.number(VERSION);
  const body = claims.inner(KEYS);
  claims.done();
  if (body.number(1) !== 1) throw new Rejected("format");
  const keys = body.items(2, 200).map(readEntry);
  body.done();
  if (issuedAt >= expiresAt) throw new Rejected("claims");
  const withdrawn = keys.filter((listed) => listed.withdrawnAt !== null).map((listed) => hex(listed.key.thumbprint));
  return new KeyList(version, issuedAt, expiresAt, keys, new Set(withdrawn));
}

function readEntry(value: Value): ListedKey {
  const entry = new Claims(value);
  const listed = {
    key: PublicKey.read(entry.take(1)),
    purpose: entry.text(2, { most: 20 }),
    notBefore: entry.number(3),
    expiresAt: entry.number(4),
    withdrawnAt: entry.maybeNumber(5),
  };
  entry.done();
  return listed;
}
