/**
 * Signed notes (C2SP signed-note v1.0.0) and the two key types of ours: 0x01, Ed25519 over the
 * text, and 0x04, a timestamped cosignature. Twin of `lianfang_chain.note`.
 */

import { type Bytes, base64, compare, concat, fromBase64, hex, utf8 } from "../bytes";
import { verifyEd25519 } from "./ed25519";
import { sha256 } from "./hash";

export const ED25519 = 0x01;
export const COSIGNATURE = 0x04;
const MAX_NOTE_BYTES = 32_768;
const MAX_SIGNATURES = 64;
const DASH = "\u2014 ";

/** The bytes are not a note, key, checkpoint or proof in the exact form. */
export class Malformed extends Error {}
/** No known key signed, or the signature of a known key is wrong. */
export class NotSigned extends Error {}

/** A witness signed whom the trust file does not name, and what is known is right: the file may be the older one. */
export class UnknownWitness extends NotSigned {}

export function bytesOfBase64(text: string): Bytes {
  try {
    return fromBase64(text);
  } catch {
    throw new Malformed("not base64");
  }
}

/**
 * ASCII digits without a leading zero. Up to 2^53, less than the 2^63 of the specification:
 * a log of ours will not hold nine million milliards of entries.
 */
export function decimal(text: string): number {
  if (!/^(?:0|[1-9][0-9]{0,18})$/.test(text)) throw new Malformed("not a decimal number");
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Malformed("a number out of range");
  return value;
}

function checkName(name: string): void {
  if (name === "" || /[+\s\u0000-\u001f\u0085\u180e]/u.test(name)) throw new Malformed("not a key name");
}

export class VerifierKey {
  readonly keyId: Bytes;

  constructor(
    readonly name: string,
    readonly type: number,
    readonly publicKey: Bytes,
  ) {
    checkName(name);
    if (type !== ED25519 && type !== COSIGNATURE) throw new Malformed(`key type ${type} is not one of ours`);
    if (publicKey.length !== 32) throw new Malformed("an Ed25519 key has 32 bytes");
    this.keyId = sha256(concat(utf8(`${name}\n`), new Uint8Array([type]), publicKey)).slice(0, 4);
  }

  static parse(vkey: string): VerifierKey {
    const first = vkey.indexOf("+");
    const second = vkey.indexOf("+", first + 1);
    if (first < 0 || second < 0) throw new Malformed("not a verifier key");
    const raw = bytesOfBase64(vkey.slice(second + 1));
    const key = new VerifierKey(vkey.slice(0, first), raw[0] ?? 0, raw.slice(1));
    if (hex(key.keyId) !== vkey.slice(first + 1, second)) throw new Malformed("the key id does not fit the key");
    return key;
  }

  toString(): string {
    return `${this.name}+${hex(this.keyId)}+${base64(concat(new Uint8Array([this.type]), this.publicKey))}`;
  }

  is(name: string, keyId: Uint8Array): boolean {
    return this.name === name && compare(this.keyId, keyId) === 0;
  }

  /**
   * The instant of a cosignature (POSIX seconds), null for a plain signature.
   *
   * @throws NotSigned: the signature does not fit
   */
  async verify(text: string, signature: Uint8Array): Promise<number | null> {
    if (this.type === ED25519) {
      await this.#verifyBytes(utf8(text), signature);
      return null;
    }
    if (signature.length !== 72) throw new NotSigned(`${this.name}: a cosignature has 72 bytes`);
    const at = new DataView(signature.buffer, signature.byteOffset).getBigUint64(0);
    await this.#verifyBytes(utf8(`cosignature/v1\ntime ${at}\n${text}`), signature.slice(8));
    return Number(at);
  }

  async #verifyBytes(message: Bytes, signature: Uint8Array): Promise<void> {
    if (!(await verifyEd25519(this.publicKey, message, signature))) {
      throw new NotSigned(`${this.name}: the signature is wrong`);
    }
  }
}

export interface Signature {
  readonly name: string;
  readonly keyId: Bytes;
  readonly raw: Bytes;
}

export interface Note {
  readonly text: string;
  readonly signatures: readonly Signature[];
}

function parseSignature(line: string): Signature {
  if (!line.startsWith(DASH)) throw new Malformed("not a signature line");
  const space = line.lastIndexOf(" ");
  const name = line.slice(DASH.length, space);
  checkName(name);
  const raw = bytesOfBase64(line.slice(space + 1));
  if (raw.length < 5) throw new Malformed("a signature of no bytes");
  return { name, keyId: raw.slice(0, 4), raw: raw.slice(4) };
}

/** @throws Malformed */
export function parseNote(data: Uint8Array, most = MAX_NOTE_BYTES): Note {
  if (data.length > most) throw new Malformed("too long");
  let whole: string;
  try {
    whole = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    throw new Malformed("not UTF-8");
  }
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u0009\u000b-\u001f]/.test(whole)) throw new Malformed("a control character");
  // The last empty line separates, because a text may hold empty lines of its own.
  const at = whole.lastIndexOf("\n\n");
  if (at < 1 || !whole.endsWith("\n")) throw new Malformed("no signature block");
  const block = whole.slice(at + 2, -1).split("\n");
  if (at + 2 > whole.length - 1 || block.length > MAX_SIGNATURES) throw new Malformed("no signatures, or too many");
  return { text: whole.slice(0, at + 1), signatures: block.map(parseSignature) };
}

export interface Opened {
  readonly note: Note;
  readonly verified: readonly { readonly key: VerifierKey; readonly at: number | null; readonly raw: Bytes }[];
}

/**
 * Parse and verify: at least one known key signed, and no line of a known key is wrong.
 *
 * @throws Malformed
 * @throws NotSigned
 */
export async function openNote(data: Uint8Array, known: readonly VerifierKey[], most = MAX_NOTE_BYTES): Promise<Opened> {
  const note = parseNote(data, most);
  const verified = new Map<VerifierKey, { key: VerifierKey; at: number | null; raw: Bytes }>();
  for (const { name, keyId, raw } of note.signatures) {
    for (const key of known) {
      if (!key.is(name, keyId)) continue;
      const at = await key.verify(note.text, raw);
      if (!verified.has(key)) verified.set(key, { key, at, raw });
    }
  }
  if (verified.size === 0) throw new NotSigned("no known key signed this note");
  return { note, verified: [...verified.values()] };
}

export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Bytes;
}

export const EMPTY_ROOT: Bytes = sha256(new Uint8Array(0));

export function checkpointText(c: Checkpoint): string {
  return `${c.origin}\n${c.size}\n${base64(c.root)}\n`;
}

/** Exactly origin, size and root: three lines and never a fourth. */
export function parseCheckpoint(text: string): Checkpoint {
  const lines = text.split("\n");
  const [origin, sizeLine, rootLine, end] = lines;
  if (lines.length !== 4 || end !== "" || !origin || sizeLine === undefined || rootLine === undefined) {
    throw new Malformed("a checkpoint of ours has three lines");
  }
  const size = decimal(sizeLine);
  const root = bytesOfBase64(rootLine);
  if (root.length !== 32) throw new Malformed("a root has 32 bytes");
  if (size === 0 && compare(root, EMPTY_ROOT) !== 0) throw new Malformed("the empty tree has one root only");
  return { origin, size, root };
}

/** @throws Malformed, NotSigned */
export async function openCheckpoint(
  data: Uint8Array,
  log: VerifierKey,
  others: readonly VerifierKey[],
): Promise<{ checkpoint: Checkpoint; opened: Opened }> {
  const opened = await openNote(data, [log, ...others]);
  if (!opened.verified.some(({ key }) => key === log)) throw new NotSigned("the log did not sign this checkpoint");
  const checkpoint = parseCheckpoint(opened.note.text);
  if (checkpoint.origin !== log.name) throw new Malformed("a checkpoint of another log");
  return { checkpoint, opened };
}
