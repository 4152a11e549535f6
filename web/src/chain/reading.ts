/** That a reading of a person stands in the journal as shown. Twin of `lianfang_chain.reading_proof`. */

import { type Bytes, compare, fromHex } from "../bytes";
import { decode, NotCanonical } from "../cbor";
import { bytesOfBase64, decimal, Malformed } from "./note";
import type { Policy } from "./policy";
import { fromQrText, type Proved, verifyPaperProof } from "./proof";
import { leafHash, NotProved, rootFromInclusion } from "./tree";

export const READING = "lianfang-read-proof/v1";
const KIND = "accounts:read_log:batch";
const MAX_PATH = 63;

/** What the line of the journal says, of what people want to know. */
export interface Reading {
  readonly number: string;
  readonly at: string;
  readonly pseudonym: string;
  readonly organ: string;
  readonly purpose: string;
  readonly reason: string;
  readonly fields: readonly string[];
}

interface ReadingProof {
  readonly leaf: Bytes;
  readonly position: number;
  readonly count: number;
  readonly path: readonly Bytes[];
  readonly paper: Bytes;
}

/** @throws Malformed, NotCanonical: not the one text of any such proof */
export function parseReadingProof(text: string): ReadingProof {
  const end = text.indexOf("\n\n");
  const [first, leaf = "", place = "", ...path] = text.slice(0, Math.max(0, end)).split("\n");
  const code = text.slice(end + 2, -1);
  if (end < 0 || first !== READING || path.length > MAX_PATH || !text.endsWith("\n") || code.includes("\n")) {
    throw new Malformed("no proof of a reading");
  }
  const [position = "", count = "", ...more] = place.split(" ");
  if (more.length > 0) throw new Malformed("no place in the journal");
  return {
    leaf: bytesOfBase64(leaf),
    position: decimal(position),
    count: decimal(count),
    path: path.map(bytesOfBase64),
    paper: fromQrText(code),
  };
}

/**
 * The line, and the entry over it.
 *
 * @throws NotProved: the path leads to another root than the chain has, or the entry is of another kind
 * @throws Malformed, NotCanonical, NotSigned: see `verifyPaperProof`
 */
export async function verifyReadingProof(text: string, policy: Policy): Promise<{ readonly reading: Reading; readonly proved: Proved }> {
  const proof = parseReadingProof(text);
  const proved = await verifyPaperProof(proof.paper, policy);
  if (proved.entry?.act.kind !== KIND) throw new NotProved("this entry is no digest of the journal");
  const terms = new Map(proved.entry.act.terms);
  const said = String(terms.get("root"));
  if (!/^[0-9a-f]{64}$/.test(said)) throw new NotProved("the digest has no root");
  if (terms.get("readings") !== proof.count) throw new NotProved("the digest is of another number of readings");
  const root = rootFromInclusion(leafHash(proof.leaf), proof.position, proof.count, proof.path);
  if (compare(root, fromHex(said)) !== 0) throw new NotProved("the path leads to another root");
  return { reading: lineOf(proof.leaf), proved };
}

function lineOf(leaf: Bytes): Reading {
  const value = decode(leaf);
  const [version, number, a, b, c, at, ...said] = Array.isArray(value) ? value : [];
  const texts = said.filter((one): one is string => typeof one === "string");
  const whole = version === 1 && (typeof number === "number" || typeof number === "bigint") && [a, b, c].every((one) => one instanceof Uint8Array);
  if (!whole || typeof at !== "string" || said.length < 5 || texts.length !== said.length) throw new NotCanonical("not a line of the journal");
  const [pseudonym = "", organ = "", purpose = "", , reason = "", ...fields] = texts;
  return { number: String(number), at, pseudonym, organ, purpose, reason, fields };
}
