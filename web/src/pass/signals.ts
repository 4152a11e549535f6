/**
 * What a gate tells besides passages: a call for help, a handover, a fork of the chain (docs/gates.md, "Signals").
 *
 * Twin of `lianfang_pass.signals`: sealed when written, numbered in an order of its own.
 */

import { type Bytes, utf8 } from "../bytes";
import { CborMap, encode } from "../cbor";
import type { PublicKey } from "./keys";
import { seal } from "./passages";

const SEAL_INFO = utf8("lf-signal/1");

/** `facts`: names are pseudonyms or fingerprints, everything else is a count. */
export interface Signal {
  readonly kind: "help" | "handover" | "list_old" | "fork" | "admitted";
  readonly at: number;
  readonly facts: Readonly<Record<string, string | number>>;
}

export function encodeSignal(signal: Signal, seq: number, gate: Bytes): Bytes {
  return encode(
    new CborMap([
      [1, seq],
      [2, gate],
      [3, signal.at],
      [4, signal.kind],
      [5, new CborMap(Object.entries(signal.facts))],
    ]),
  );
}

/** Seal a signal when it is written; device and number are bound to it. */
export function sealSignal(signal: Signal, seq: number, gate: Bytes, device: Bytes, to: PublicKey): Promise<Bytes> {
  return seal(encodeSignal(signal, seq, gate), to.point, SEAL_INFO, encode([device, seq]));
}
