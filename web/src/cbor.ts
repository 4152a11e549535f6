/**
 * Deterministic CBOR: one value has exactly one byte string, and everything else is refused.
 *
 * The twin of `lianfang_chain.cbor`: core deterministic encoding of RFC 8949 §4.2.1, 64-bit
 * integers, byte strings, text in normal form C, lists, maps, tags, booleans and null; no
 * floats. Two verifiers that read different claims from one signed byte string are the bug
 * this prevents. The tests use cborg as the independent second implementation.
 */

import { type Bytes, compare, concat } from "./bytes";

export const MAX_DEPTH = 16;
export const MAX_BYTES = 65_535;

export class NotCanonical extends Error {}

export class Tag {
  constructor(
    readonly number: number,
    readonly value: Value,
  ) {}
}

/** Integers beyond 2^53 come as bigint, all others as number. */
export type Key = number | bigint | string | Bytes;
export type Value = number | bigint | string | boolean | null | Bytes | Value[] | CborMap | Tag;

// Fields are private by type only, here and where claims are read: phones of 2020 have no `#` names, and what stands in
// for them in the bundle made reading a pass several times slower.

/**
 * A map in the order of its encoding. Integer and text keys are looked up directly; byte
 * string keys are kept by their hex form, which our formats never look up.
 */
export class CborMap {
  private readonly values = new Map<number | bigint | string, Value>();
  private readonly list: [Key, Value][] = [];

  constructor(pairs: Iterable<readonly [Key, Value]> = []) {
    for (const [key, value] of pairs) this.set(key, value);
  }
  set(key: Key, value: Value): void {
    this.list.push([key, value]);
    if (!(key instanceof Uint8Array)) this.values.set(key, value);
  }
  get(key: number | string): Value | undefined {
    return this.values.get(key);
  }
  has(key: number | string): boolean {
    return this.values.has(key);
  }
  get size(): number {
    return this.list.length;
  }
  keys(): Key[] {
    return this.list.map(([key]) => key);
  }
  pairs(): readonly (readonly [Key, Value])[] {
    return this.list;
  }
}

const enum Major {
  UINT = 0,
  NEGATIVE = 1,
  BYTES = 2,
  TEXT = 3,
  LIST = 4,
  MAP = 5,
  TAG = 6,
  SIMPLE = 7,
}

const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @throws NotCanonical: a value that has no encoding under our rules */
export function encode(value: Value): Bytes {
  const parts: Uint8Array[] = [];
  write(value, parts, 0);
  return concat(...parts);
}

/**
 * The value whose one encoding is `data`; `encode(decode(data))` equals `data` always.
 *
 * @throws NotCanonical: and nothing else, whatever the bytes are
 */
export function decode(data: Uint8Array, maxBytes: number = MAX_BYTES): Value {
  if (data.length > maxBytes) throw new NotCanonical(`${data.length} bytes, at most ${maxBytes} are read`);
  const reader = new Reader(data);
  const value = reader.value(0);
  if (reader.at !== data.length) throw new NotCanonical(`${data.length - reader.at} bytes follow the value`);
  return value;
}

function head(major: Major, argument: number | bigint): Bytes {
  if (argument < 24) return new Uint8Array([(major << 5) | Number(argument)]);
  const width = argument < 0x100 ? 1 : argument < 0x10000 ? 2 : argument < 0x100000000 ? 4 : 8;
  if (argument > 0xffffffffffffffffn) throw new NotCanonical("an integer of more than 64 bits");
  const out = new Uint8Array(1 + width);
  const view = new DataView(out.buffer);
  out[0] = (major << 5) | (24 + Math.log2(width));
  if (width === 1) view.setUint8(1, Number(argument));
  else if (width === 2) view.setUint16(1, Number(argument));
  else if (width === 4) view.setUint32(1, Number(argument));
  else view.setBigUint64(1, BigInt(argument));
  return out;
}

function write(value: Value, parts: Uint8Array[], depth: number): void {
  if (depth > MAX_DEPTH) throw new NotCanonical(`more than ${MAX_DEPTH} levels`);
  if (value === null) parts.push(new Uint8Array([0xf6]));
  else if (typeof value === "boolean") parts.push(new Uint8Array([value ? 0xf5 : 0xf4]));
  else if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new NotCanonical("a number that is no safe integer");
    parts.push(value >= 0 ? head(Major.UINT, value) : head(Major.NEGATIVE, -1 - value));
  } else if (typeof value === "bigint") {
    parts.push(value >= 0n ? head(Major.UINT, value) : head(Major.NEGATIVE, -1n - value));
  } else if (typeof value === "string") {
    if (value.normalize("NFC") !== value) throw new NotCanonical("text that is not in normal form C");
    if (/\p{Surrogate}/u.test(value)) throw new NotCanonical("text that has no UTF-8");
    const text = utf8Encoder.encode(value);
    parts.push(head(Major.TEXT, text.length), text);
  } else if (value instanceof Uint8Array) {
    parts.push(head(Major.BYTES, value.length), value);
  } else if (Array.isArray(value)) {
    parts.push(head(Major.LIST, value.length));
    for (const item of value) write(item, parts, depth + 1);
  } else if (value instanceof Tag) {
    parts.push(head(Major.TAG, value.number));
    write(value.value, parts, depth + 1);
  } else if (value instanceof CborMap) {
    const pairs = value.pairs().map(([key, item]) => {
      const encoded: Uint8Array[] = [];
      write(key, encoded, depth + 1);
      return [concat(...encoded), item] as const;
    });
    pairs.sort((a, b) => compare(a[0], b[0]));
    parts.push(head(Major.MAP, pairs.length));
    for (const [key, item] of pairs) {
      parts.push(key);
      write(item, parts, depth + 1);
    }
  } else {
    throw new NotCanonical("a value of another type");
  }
}

class Reader {
  at = 0;
  private readonly view: DataView;

  constructor(readonly data: Uint8Array) {
    this.view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  }

  value(depth: number): Value {
    if (depth > MAX_DEPTH) throw new NotCanonical(`more than ${MAX_DEPTH} levels`);
    const first = this.data[this.at];
    if (first === undefined) throw new NotCanonical("cut short");
    this.at += 1;
    const major = first >> 5;
    const info = first & 0x1f;
    if (major === Major.SIMPLE) {
      if (info === 20) return false;
      if (info === 21) return true;
      if (info === 22) return null;
      throw new NotCanonical("a float, a break or an unknown simple value");
    }
    const argument = this.argument(info);
    if (major === Major.UINT) return argument;
    if (major === Major.NEGATIVE) {
      return typeof argument === "bigint" || argument === Number.MAX_SAFE_INTEGER
        ? -1n - BigInt(argument)
        : -1 - argument;
    }
    if (major === Major.TAG) {
      if (typeof argument === "bigint") throw new NotCanonical("a tag number of more than 53 bits");
      return new Tag(argument, this.value(depth + 1));
    }
    // Every item takes at least one byte more, so a length that the data cannot hold is
    // refused before anything is set aside for it.
    if (argument > this.data.length - this.at) throw new NotCanonical("cut short");
    const length = Number(argument);
    if (major === Major.BYTES) return this.take(length);
    if (major === Major.TEXT) return this.text(length);
    if (major === Major.LIST) {
      const items: Value[] = [];
      for (let i = 0; i < length; i++) items.push(this.value(depth + 1));
      return items;
    }
    return this.map(length, depth);
  }

  private take(length: number): Bytes {
    const taken = this.data.slice(this.at, this.at + length) as Bytes;
    this.at += length;
    return taken;
  }

  private argument(info: number): number | bigint {
    if (info < 24) return info;
    if (info > 27) throw new NotCanonical("an indefinite length or a reserved head");
    const width = 1 << (info - 24);
    if (this.at + width > this.data.length) throw new NotCanonical("cut short");
    const at = this.at;
    this.at += width;
    if (width === 8) {
      const wide = this.view.getBigUint64(at);
      if (wide < 0x100000000n) throw new NotCanonical("a longer head than needed");
      return wide <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(wide) : wide;
    }
    const argument =
      width === 1 ? this.view.getUint8(at) : width === 2 ? this.view.getUint16(at) : this.view.getUint32(at);
    const least = width === 1 ? 24 : width === 2 ? 0x100 : 0x10000;
    if (argument < least) throw new NotCanonical("a longer head than needed");
    return argument;
  }

  private text(length: number): string {
    let text: string;
    try {
      text = utf8Decoder.decode(this.data.subarray(this.at, this.at + length));
    } catch {
      throw new NotCanonical("text that is not UTF-8");
    }
    if (text.normalize("NFC") !== text) throw new NotCanonical("text that is not in normal form C");
    this.at += length;
    return text;
  }

  private map(pairs: number, depth: number): CborMap {
    const map = new CborMap();
    let previous: Uint8Array = new Uint8Array(0);
    for (let i = 0; i < pairs; i++) {
      const start = this.at;
      const key = this.value(depth + 1);
      const allowed =
        typeof key === "number" || typeof key === "bigint" || typeof key === "string" || key instanceof Uint8Array;
      if (!allowed) throw new NotCanonical("a map key that is no integer, text or byte string");
      const encoded = this.data.subarray(start, this.at);
      if (compare(encoded, previous) <= 0) throw new NotCanonical("map keys that are repeated or not sorted");
      previous = encoded;
      map.set(key, this.value(depth + 1));
    }
    return map;
  }
}
