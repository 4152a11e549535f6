/**
 * Proofs that an entry is in the chain: the paper proof of one QR code and the `.tlog-proof` file.
 *
 * Twin of `lianfang_chain.proof`.
 */

import { type Bytes, compare, concat } from "../bytes";
import { decode, NotCanonical } from "../cbor";
import { decodeBase45, NotBase45 } from "../pass/base45";
import { type Disclosure, type Entry, parseDisclosure, parseEntry } from "./entry";
import {
  bytesOfBase64,
  type Checkpoint,
  checkpointText,
  decimal,
  Malformed,
  NotSigned,
  openCheckpoint,
  parseCheckpoint,
  parseNote,
  UnknownWitness,
} from "./note";
import type { Change, Policy } from "./policy";
import { NotProved, rootFromInclusion } from "./tree";

export const QR_PREFIX = "LFC1:";
export const SHEET_PREFIX = "LFK1:";
const MAX_PROOF_BYTES = 8192;
const MAX_PATH = 63;
const FIRST_LINE = "c2sp.org/tlog-proof@v1";

export interface Proved {
  readonly checkpoint: Checkpoint;
  readonly index: number;
  readonly entry: Entry | null;
  readonly disclosed: readonly Disclosure[];
  /** The witnesses who saw it, by their names in the policy, with the instant of each. */
  readonly seen: readonly (readonly [string, number])[];
  /** That of the witnesses in office at this size, which were those before `changed`, if that is a change. */
  readonly quorum: boolean;
  readonly changed: Change | null;
}

function judged(policy: Policy, size: number, seen: readonly (readonly [string, number])[]): Pick<Proved, "seen" | "quorum" | "changed"> {
  return { seen, quorum: policy.at(size).metBy(new Set(seen.map(([name]) => name))), changed: policy.changedAfter(size) };
}

/** @throws NotCanonical */
export function fromQrText(text: string, prefix = QR_PREFIX): Bytes {
  if (!text.startsWith(prefix) || text.length > 2 * MAX_PROOF_BYTES) {
    throw new NotCanonical("not the QR text of a paper proof");
  }
  try {
    return decodeBase45(text.slice(prefix.length));
  } catch (error) {
    if (error instanceof NotBase45) throw new NotCanonical("not base45");
    throw error;
  }
}

interface PaperProof {
  readonly entry: Bytes;
  readonly disclosures: readonly Bytes[];
  readonly index: number;
  readonly size: number;
  readonly path: readonly Bytes[];
  readonly logSignature: Bytes;
  readonly cosignatures: readonly { readonly number: number; readonly at: bigint; readonly signature: Bytes }[];
}

function parsePaperProof(data: Uint8Array): PaperProof {
  const value = decode(data, MAX_PROOF_BYTES);
  if (!Array.isArray(value) || value.length !== 8 || value[0] !== 1) throw new NotCanonical("not a paper proof of version 1");
  const [, entry, shown, index, size, path, log, cosignatures] = value;
  if (!(entry instanceof Uint8Array) || !Array.isArray(shown) || typeof index !== "number" || typeof size !== "number") {
    throw new NotCanonical("not a paper proof");
  }
  if (!(path instanceof Uint8Array) || path.length % 32 !== 0 || path.length > MAX_PATH * 32) {
    throw new NotCanonical("not an inclusion path");
  }
  if (!(log instanceof Uint8Array) || log.length !== 64 || !Array.isArray(cosignatures)) {
    throw new NotCanonical("not signatures");
  }
  const disclosures = shown.map((item) => {
    if (!(item instanceof Uint8Array)) throw new NotCanonical("not disclosures");
    return item as Bytes;
  });
  const hashes: Bytes[] = [];
  for (let i = 0; i < path.length; i += 32) hashes.push(path.slice(i, i + 32) as Bytes);
  return {
    entry: entry as Bytes,
    disclosures,
    index,
    size,
    path: hashes,
    logSignature: log as Bytes,
    cosignatures: cosignatures.map((item) => {
      const [number, at, signature] = Array.isArray(item) && item.length === 3 ? item : [];
      const isTime = (typeof at === "number" && at >= 0) || (typeof at === "bigint" && at >= 0n);
      if (typeof number !== "number" || !isTime || !(signature instanceof Uint8Array) || signature.length !== 64) {
        throw new NotCanonical("not a cosignature");
      }
      return { number, at: BigInt(at as number | bigint), signature: signature as Bytes };
    }),
  };
}

/**
 * @throws NotCanonical: not a paper proof, or the entry inside is not one
 * @throws NotSigned: no log of the policy signed it, or the signature of a witness is wrong
 * @throws UnknownWitness: all that this policy can check is right, and it does not name one of the witnesses
 * @throws NotProved: a disclosure the entry does not commit to, or a path that fits no tree
 */
export async function verifyPaperProof(data: Uint8Array, policy: Policy): Promise<Proved> {
  const proof = parsePaperProof(data);
  const entry = parseEntry(proof.entry);
  const disclosed = proof.disclosures.map(parseDisclosure);
  const allowed = [...entry.act.commitments, entry.act.officer];
  if (disclosed.some((d) => !allowed.some((hash) => compare(hash, d.commitment) === 0))) {
    throw new NotProved("a disclosure to which the entry does not commit");
  }
  if (new Set(disclosed.map((d) => d.field)).size !== disclosed.length) throw new NotProved("one field disclosed twice");
  const root = rootFromInclusion(entry.leaf, proof.index, proof.size, proof.path);
  const checkpoint = await signedBy(policy, proof, root);
  const text = checkpointText(checkpoint);
  const seen = new Map<string, number>();
  let unknown: number | undefined;
  for (const { number, at, signature } of proof.cosignatures) {
    if (number < 1) throw new NotSigned(`there is no witness ${number}`);
    const witness = policy.witnesses[number - 1];
    if (witness === undefined) {
      unknown ??= number;
      continue;
    }
    if (seen.has(witness.name)) throw new NotSigned(`${witness.name} twice`);
    const time = new Uint8Array(8);
    new DataView(time.buffer).setBigUint64(0, at);
    await witness.key.verify(text, concat(time, signature));
    seen.set(witness.name, Number(at));
  }
  // Said last, when all that this file can check is right.
  if (unknown !== undefined) throw new UnknownWitness(`witness ${unknown} is not in this trust file`);
  return { checkpoint, index: proof.index, entry, disclosed, ...judged(policy, checkpoint.size, [...seen]) };
}

/** The proof does not name its log, so each log of the policy is tried. */
async function signedBy(policy: Policy, proof: PaperProof, root: Bytes): Promise<Checkpoint> {
  for (const log of policy.logs) {
    const checkpoint = { origin: log.name, size: proof.size, root };
    try {
      await log.verify(checkpointText(checkpoint), proof.logSignature);
      return checkpoint;
    } catch (error) {
      if (!(error instanceof NotSigned)) throw error;
    }
  }
  throw new NotSigned("no log of the policy signed this");
}

/**
 * The checkpoint on a public sheet, which a log of the policy signed. Whether others know it is another question.
 *
 * @throws NotCanonical: not such a text
 * @throws NotSigned: no log of the policy signed it
 */
export async function verifySheetText(text: string, policy: Policy): Promise<Checkpoint> {
  const value = decode(fromQrText(text, SHEET_PREFIX), 256);
  if (!Array.isArray(value) || value.length !== 4) throw new NotCanonical("not a checkpoint");
  const [version, size, root, signature] = value;
  if (version !== 1 || typeof size !== "number" || size < 0) throw new NotCanonical("not a checkpoint of version 1");
  if (!(root instanceof Uint8Array) || root.length !== 32) throw new NotCanonical("not a root");
  if (!(signature instanceof Uint8Array) || signature.length !== 64) throw new NotCanonical("not a signature");
  for (const log of policy.logs) {
    const checkpoint = { origin: log.name, size, root: root as Bytes };
    try {
      await log.verify(checkpointText(checkpoint), signature);
      return checkpoint;
    } catch (error) {
      if (!(error instanceof NotSigned)) throw error;
    }
  }
  throw new NotSigned("no log of the policy signed this");
}

/** An add-checkpoint request (C2SP tlog-witness): the older size, the hashes, the newer checkpoint. @throws Malformed */
export function parseConsistency(data: Uint8Array): { readonly old: number; readonly proof: readonly Bytes[]; readonly note: Bytes } {
  const end = data.findIndex((byte, i) => byte === 10 && data[i + 1] === 10);
  if (end < 0 || data.length > 65_536) throw new Malformed("no checkpoint, or too long");
  const [first = "", ...hashes] = new TextDecoder().decode(data.subarray(0, end)).split("\n");
  if (!first.startsWith("old ") || hashes.length > MAX_PATH) throw new Malformed("not `old <size>` and at most 63 hashes");
  return { old: decimal(first.slice(4)), proof: hashes.map(bytesOfBase64), note: data.slice(end + 2) as Bytes };
}

export interface TlogProof {
  readonly index: number;
  readonly path: readonly Bytes[];
  readonly note: Bytes;
}

/** @throws Malformed: not a proof in the exact form */
export function parseTlogProof(data: Uint8Array): TlogProof {
  if (data.length > 65_536) throw new Malformed("too long");
  const end = data.findIndex((byte, i) => byte === 10 && data[i + 1] === 10);
  if (end < 0) throw new Malformed("no checkpoint");
  const headBytes = data.subarray(0, end);
  if (headBytes.some((byte) => byte > 0x7f)) throw new Malformed("not ASCII");
  const lines = new TextDecoder().decode(headBytes).split("\n");
  if (lines.shift() !== FIRST_LINE) throw new Malformed("not a tlog-proof");
  if (lines[0]?.startsWith("extra ")) bytesOfBase64(lines.shift()?.slice(6) ?? "");
  if (!lines[0]?.startsWith("index ")) throw new Malformed("no index");
  const index = decimal(lines.shift()?.slice(6) ?? "");
  const path = lines.map(bytesOfBase64);
  if (path.length > MAX_PATH || path.some((hash) => hash.length !== 32)) throw new Malformed("not an inclusion path");
  const note = data.slice(end + 2) as Bytes;
  parseNote(note);
  return { index, path, note };
}

/**
 * Check a proof file for a leaf hash that the caller computed from the record itself.
 *
 * @throws Malformed: not a proof
 * @throws NotProved: the path does not lead to the root
 * @throws NotSigned: no log of the policy signed it, or a known signature is wrong
 * @throws UnknownWitness: all that this policy can check is right and no quorum, and it does not name who else signed
 */
export async function verifyTlogProof(data: Uint8Array, leaf: Bytes, policy: Policy): Promise<Proved> {
  const proof = parseTlogProof(data);
  const note = parseNote(proof.note);
  const checkpoint = parseCheckpoint(note.text);
  const root = rootFromInclusion(leaf, proof.index, checkpoint.size, proof.path);
  if (compare(root, checkpoint.root) !== 0) throw new NotProved("the path leads to another root");
  const log = policy.logOf(checkpoint.origin);
  if (log === undefined) throw new NotSigned("a log that the policy does not name");
  const known = [log, ...policy.witnesses.map((w) => w.key)];
  const { opened } = await openCheckpoint(proof.note, log, known.slice(1));
  const seen = policy.witnesses.flatMap((w) => {
    const found = opened.verified.find(({ key }) => key === w.key);
    return found?.at == null ? [] : [[w.name, found.at] as const];
  });
  const found = judged(policy, checkpoint.size, seen);
  // Lines of others are passed over where a quorum is there without them; where it is not, they may be the rest of it.
  const unknown = note.signatures.find(({ name, keyId }) => !known.some((key) => key.is(name, keyId)));
  if (unknown && !found.quorum) throw new UnknownWitness(`${unknown.name} is not in this trust file`);
  return { checkpoint, index: proof.index, entry: null, disclosed: [], ...found };
}
