/** Base45 (RFC 9285): two bytes become three characters that a QR code stores compactly. */

import type { Bytes } from "../bytes";
import { Rejected } from "./rejected";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const DIGITS = new Int8Array(128).fill(-1);
for (let i = 0; i < ALPHABET.length; i++) DIGITS[ALPHABET.charCodeAt(i)] = i;

export class NotBase45 extends Error {}

export const PREFIX = "LF1:";
/** What a version 40-L code holds in alphanumeric mode. */
export const MAX_CHARACTERS = 4296;

export function encodeBase45(bytes: Uint8Array): string {
  let out = "";
  for (let i = 0; i < bytes.length; i += 2) {
    const high = bytes[i] ?? 0;
    const low = bytes[i + 1];
    let n = low === undefined ? high : high * 256 + low;
    for (let digits = low === undefined ? 2 : 3; digits > 0; digits--) {
      out += ALPHABET.charAt(n % 45);
      n = Math.floor(n / 45);
    }
  }
  return out;
}

/** @throws NotBase45: another character, a group that is too large, or one character alone */
export function decodeBase45(text: string): Bytes {
  const rest = text.length % 3;
  if (rest === 1) throw new NotBase45("one character is left over");
  const out = new Uint8Array(((text.length - rest) / 3) * 2 + (rest === 2 ? 1 : 0));
  const digit = (at: number): number => {
    const code = text.charCodeAt(at);
    const value = code < 128 ? DIGITS[code] : -1;
    if (value === undefined || value < 0) throw new NotBase45(`character ${at} is not of the alphabet`);
    return value;
  };
  let to = 0;
  for (let i = 0; i + 2 < text.length; i += 3) {
    const n = digit(i) + 45 * digit(i + 1) + 2025 * digit(i + 2);
    if (n > 0xffff) throw new NotBase45("a group above 65535");
    out[to++] = n >> 8;
    out[to++] = n & 0xff;
  }
  if (rest === 2) {
    const n = digit(text.length - 2) + 45 * digit(text.length - 1);
    if (n > 0xff) throw new NotBase45("a last group above 255");
    out[to] = n;
  }
  return out;
}

/** The token of a scanned text. Line ends that a keyboard scanner adds are cut off, nothing else. */
export function fromText(text: string): Bytes {
  const plain = text.replace(/[\r\n]+$/, "");
  if (!plain.startsWith(PREFIX) || plain.length > MAX_CHARACTERS) throw new Rejected("prefix");
  try {
    return decodeBase45(plain.slice(PREFIX.length));
  } catch (error) {
    if (error instanceof NotBase45) throw new Rejected("base45");
    throw error;
  }
}

export function toText(token: Uint8Array): string {
  return PREFIX + encodeBase45(token);
}
