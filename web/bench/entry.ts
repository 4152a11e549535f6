/** What the benchmark needs of the gate's pure code. */

import { fromText } from "../src/pass/base45";
import { kidOf, toBeSigned } from "../src/pass/cose";
import type { KeyList } from "../src/pass/keylist";
import { equal } from "../src/bytes";
import { readToken } from "../src/pass/tokens";

export { acceptKeyList } from "../src/pass/keylist";
export { PublicKey } from "../src/pass/keys";
export { look } from "../src/pass/scan";
export { acceptList } from "../src/pass/statuslist";

/** Key, message and signature of one pass, for the bare verification. */
export function bareOf(text: string, keys: KeyList): { key: Uint8Array; message: Uint8Array; signature: Uint8Array } {
  const { token } = readToken(fromText(text));
  const listed = keys.keys.find((one) => one.purpose === "pass" && equal(one.key.kid, kidOf(token)));
  if (listed === undefined) throw new Error("no key");
  return { key: listed.key.point, message: toBeSigned(token.headerBytes, token.payload), signature: token.signature };
}
