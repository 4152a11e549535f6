/** Unsigned LEB128 in its shortest form, at most five bytes. */

import { Rejected } from "./rejected";

export class VarintReader {
  at = 0;
  constructor(readonly data: Uint8Array) {}

  get done(): boolean {
    return this.at >= this.data.length;
  }

  /** @throws Rejected `varint`: cut short, too long, or not the shortest form */
  next(): number {
    let number = 0;
    let place = 1;
    for (let i = 0; i < 5; i++) {
      const byte = this.data[this.at];
      if (byte === undefined) throw new Rejected("varint");
      this.at += 1;
      // Five bytes hold 35 bits: no 32-bit shifts.
      number += (byte & 0x7f) * place;
      place *= 128;
      if (byte < 0x80) {
        if (byte === 0 && i > 0) throw new Rejected("varint");
        return number;
      }
    }
    throw new Rejected("varint");
  }
}
