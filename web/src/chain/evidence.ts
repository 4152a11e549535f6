/** Proof that a log told two stories: two checkpoints it signed that no tree can both have. Twin of `lianfang_chain.evidence`. */

import { compare, utf8 } from "../bytes";
import { bytesOfBase64, type Checkpoint, Malformed, NotSigned, openCheckpoint, type VerifierKey } from "./note";
import type { Policy } from "./policy";
import { NotProved, verifyConsistency } from "./tree";

export const EVIDENCE = "lianfang fork evidence v1";
const RULE = `${"=".repeat(40)}\n`;

export interface Fork {
  readonly smaller: Checkpoint;
  readonly larger: Checkpoint;
}

/**
 * The two checkpoints, when a log of the policy did fork.
 *
 * @throws Malformed: not such a file
 * @throws NotSigned: no log of the policy signed both
 * @throws NotProved: the two may both be true
 */
export async function verifyEvidence(text: string, policy: Policy): Promise<Fork> {
  for (const log of policy.logs) {
    try {
      return await forkOf(text, log);
    } catch (error) {
      if (!(error instanceof NotSigned)) throw error;
    }
  }
  throw new NotSigned("no log of the policy signed these");
}

async function forkOf(text: string, log: VerifierKey): Promise<Fork> {
  const [, first = "", second = "", last = "", ...more] = text.split(RULE);
  if (!text.startsWith(`${EVIDENCE}\n`) || !last.startsWith("root ") || more.length > 0) throw new Malformed("not fork evidence");
  const [rootLine = "", ...lines] = last.replace(/\n$/, "").split("\n");
  const root = bytesOfBase64(rootLine.slice(5));
  const { checkpoint: smaller } = await openCheckpoint(utf8(first), log, []);
  const { checkpoint: larger } = await openCheckpoint(utf8(second), log, []);
  verifyConsistency(smaller.size, larger.size, root, larger.root, lines.map(bytesOfBase64));
  if (compare(root, smaller.root) === 0) throw new NotProved("the two checkpoints are consistent");
  return { smaller, larger };
}
