/** SHA-256, synchronous, so that the tree is computed without a promise per node. */

import { sha256 as noble } from "@noble/hashes/sha2.js";
import type { Bytes } from "../bytes";

export function sha256(bytes: Uint8Array): Bytes {
  return noble(bytes) as Bytes;
}
