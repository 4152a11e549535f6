/**
 * What one entry of the chain says, the organ that signed it, and the disclosures that fit it.
 *
 * Twin of `lianfang_chain.entry` and `.disclosure`.
 */

import { type Bytes, compare, concat, utf8 } from "../bytes";
import { CborMap, decode, encode, NotCanonical, Tag, type Value } from "../cbor";
import { sha256 } from "./hash";
import { leafHash } from "./tree";

const MAX_ENTRY_BYTES = 4096;
const SALT_BYTES = 16;
const KIND = /^[a-z][a-z_]*(?::[a-z][a-z_]*){1,3}$/;
const LABEL = /^[a-z][0-9a-z]{1,40}$/;
const SCOPE_CLASS: Readonly<Record<string, string>> = {
  d: "district",
  s: "street",
  c: "community",
  g: "grid",
  m: "compound",
  b: "building",
  w: "stairwell",
};

export interface Act {
  readonly kind: string;
  readonly actId: Bytes;
  readonly issuedAt: number;
  readonly organ: string;
  readonly scopeClass: string;
  readonly scope: string;
  readonly basis: string;
  readonly terms: readonly (readonly [string, string | number | bigint])[];
  readonly commitments: readonly Bytes[];
  readonly prior: Bytes | null;
  readonly officer: Bytes;
}

export interface Entry {
  readonly data: Bytes;
  readonly act: Act;
  readonly leaf: Bytes;
  /** First eight bytes of the SHA-256 of the organ's public key. */
  readonly kid: Bytes;
  readonly signed: Bytes;
  readonly signature: Bytes;
}

function demand(condition: boolean, problem: string): asserts condition {
  if (!condition) throw new NotCanonical(problem);
}

function isInteger(value: Value | undefined): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

/** @throws NotCanonical: not an entry in its one encoding, to the last field */
export function parseEntry(data: Uint8Array): Entry {
  const value = decode(data, MAX_ENTRY_BYTES);
  demand(value instanceof Tag && value.number === 18 && Array.isArray(value.value), "not a COSE_Sign1");
  const [protectedBytes, unprotected, payload, signature] = value.value;
  demand(
    value.value.length === 4 &&
      protectedBytes instanceof Uint8Array &&
      unprotected instanceof CborMap &&
      unprotected.size === 0 &&
      payload instanceof Uint8Array &&
      signature instanceof Uint8Array &&
      signature.length === 64,
    "not a COSE_Sign1 without unprotected headers",
  );
  const header = decode(protectedBytes);
  const kid = header instanceof CborMap ? header.get(4) : undefined;
  demand(
    header instanceof CborMap &&
      header.size === 2 &&
      header.get(1) === -8 &&
      kid instanceof Uint8Array &&
      kid.length === 8,
    "not the headers of an entry",
  );
  return {
    data: data.slice() as Bytes,
    act: parseAct(decode(payload)),
    leaf: leafHash(data),
    kid: kid as Bytes,
    signed: encode(["Signature1", protectedBytes, new Uint8Array(0), payload]),
    signature: signature as Bytes,
  };
}

function parseAct(map: Value): Act {
  demand(map instanceof CborMap && map.size === 12 && map.get(1) === "lf/1", "not an entry of version 1");
  demand(map.get(12) === "sha-256", "another hash algorithm");
  const [kind, actId, issuedAt, organ, scope, basis] = [2, 3, 4, 5, 6, 7].map((key) => map.get(key));
  const [terms, commitments, prior, officer] = [8, 9, 10, 11].map((key) => map.get(key));
  demand(typeof kind === "string" && KIND.test(kind), "not a kind");
  demand(actId instanceof Uint8Array && actId.length === 16, "not an act id");
  demand(typeof issuedAt === "number" && issuedAt >= 0 && issuedAt < 2 ** 40, "an instant out of range");
  demand(typeof organ === "string" && organ !== "" && typeof basis === "string" && basis !== "", "no organ or basis");
  demand(Array.isArray(scope) && scope.length === 2, "not a scope");
  const [scopeClass, path] = scope;
  demand(typeof scopeClass === "string" && typeof path === "string", "not a scope");
  const labels = path.split(".");
  demand(
    labels.every((label) => LABEL.test(label) && !label.startsWith("h")) &&
      SCOPE_CLASS[labels.at(-1)?.charAt(0) ?? ""] === scopeClass,
    "not a public scope",
  );
  demand(terms instanceof CborMap, "no terms");
  const shown = terms.pairs().map(([name, value]) => {
    demand(typeof name === "string" && name !== "", "a term without a name");
    demand(typeof value === "string" || isInteger(value), "a term that is neither text nor an integer");
    return [name, value] as const;
  });
  demand(Array.isArray(commitments) && commitments.length <= 64 && commitments.length % 4 === 0, "not in fours");
  const hashes = commitments.map((hash) => {
    demand(hash instanceof Uint8Array && hash.length === 32, "a commitment has 32 bytes");
    return hash as Bytes;
  });
  demand(
    hashes.every((hash, i) => i === 0 || compare(hashes[i - 1] ?? hash, hash) < 0),
    "commitments that are not sorted",
  );
  demand(prior === null || (prior instanceof Uint8Array && prior.length === 32), "a leaf hash has 32 bytes");
  demand(officer instanceof Uint8Array && officer.length === 32, "no officer");
  return {
    kind,
    actId: actId as Bytes,
    issuedAt,
    organ,
    scopeClass,
    scope: path,
    basis,
    terms: shown,
    commitments: hashes,
    prior: prior as Bytes | null,
    officer: officer as Bytes,
  };
}

export interface Disclosure {
  readonly field: string;
  readonly value: string | number | bigint;
  readonly commitment: Bytes;
}

/** @throws NotCanonical */
export function parseDisclosure(data: Uint8Array): Disclosure {
  const value = decode(data);
  demand(Array.isArray(value) && value.length === 3, "not a disclosure");
  const [salt, field, shown] = value;
  demand(salt instanceof Uint8Array && salt.length === SALT_BYTES, "not a salt");
  demand(typeof field === "string" && field !== "", "not a field");
  demand(typeof shown === "string" || isInteger(shown), "neither text nor an integer");
  return { field, value: shown, commitment: sha256(concat(new Uint8Array([2]), utf8("lf-sd/1"), data)) };
}
