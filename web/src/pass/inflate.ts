/** One zlib stream, whole, nothing behind it, and no larger than a shard can be. */

import { unzlibSync } from "fflate";
import { type Bytes, concat } from "../bytes";
import { Rejected } from "./rejected";

const MAX_INFLATED = 16 * 1024 * 1024;

export async function inflate(data: Bytes): Promise<Bytes> {
  const out = "DecompressionStream" in globalThis ? await inflateByStream(data) : inflateInScript(data);
  if (out.length > MAX_INFLATED) throw new Rejected("zlib");
  return out;
}

async function inflateByStream(data: Bytes): Promise<Bytes> {
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    const reader = new Blob([data]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      length += value.length;
      if (length > MAX_INFLATED) throw new Rejected("zlib");
      parts.push(value);
    }
  } catch {
    throw new Rejected("zlib");
  }
  return concat(...parts);
}

/** For browsers before 2023. The checksum at the very end also shows that nothing follows the stream. */
export function inflateInScript(data: Bytes): Bytes {
  let out: Uint8Array;
  try {
    out = unzlibSync(data);
  } catch {
    throw new Rejected("zlib");
  }
  let a = 1;
  let b = 0;
  for (const byte of out) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  const end = new DataView(data.buffer, data.byteOffset + data.length - 4, 4);
  if (data.length < 6 || end.getUint32(0) !== b * 65536 + a) throw new Rejected("zlib");
  return out as Bytes;
}
