/**
 * Whether a newer trust file follows from an older one: each change of a witness is an entry of the chain that a quorum of
 * the file before it has seen, and nothing else differs.
 *
 * Witnesses sign that the entry stands in the chain for everybody, not that they agree with it; so a person decides still.
 */

import { NotCanonical } from "../cbor";
import { NotSigned } from "./note";
import { type Change, Policy } from "./policy";
import { fromQrText, verifyPaperProof } from "./proof";
import { NotProved } from "./tree";

const KIND = "ledger:policy:changed";

/** @param proofOf the text of the paper proof of an entry, packed for the file before it; null where there is none */
export async function vouched(newer: Policy, older: Policy, proofOf: (index: number) => Promise<string | null>): Promise<readonly Change[] | null> {
  const noted = new Set(older.changes.map(({ index }) => index));
  const changes = newer.changes.filter(({ index }) => !noted.has(index));
  let policy = older;
  for (const change of changes) {
    const key = newer.witnesses.find(({ name }) => name === change.name)?.key;
    const before = newer.witnesses.find(({ name }) => name === change.before)?.key;
    const text = await proofOf(change.index);
    if (key === undefined || before === undefined || text === null) return null;
    const said = [change.name, String(key), String(before)].join();
    if ((await saidBy(text.trim(), change.index, policy)) !== said) return null;
    policy = policy.after(change, key);
  }
  return policy.content === newer.content ? changes : null;
}

/** Who came, with which key, in whose place, by the entry that a quorum of the policy has seen; null where it has not. */
async function saidBy(text: string, index: number, policy: Policy): Promise<string | null> {
  try {
    const proved = await verifyPaperProof(fromQrText(text), policy);
    if (!proved.quorum || proved.index !== index || proved.entry?.act.kind !== KIND) return null;
    const terms = new Map(proved.entry.act.terms);
    return ["witness", "vkey", "retired"].map((name) => String(terms.get(name))).join();
  } catch (error) {
    if (error instanceof NotCanonical || error instanceof NotSigned || error instanceof NotProved) return null;
    throw error;
  }
}
