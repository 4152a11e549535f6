/**
 * What came after an entry, asked of the server by who holds the entry (docs/chain.md): its answer is no proof that nothing
 * did, but each entry that it names comes with a proof of its own.
 */

import { compare, hex } from "../bytes";
import { NotCanonical } from "../cbor";
import { type Entry } from "./entry";
import { sha256 } from "./hash";
import { NotSigned } from "./note";
import type { Policy } from "./policy";
import { fromQrText, type Proved, verifyPaperProof } from "./proof";
import { NotProved } from "./tree";

export interface LaterEntry {
  readonly kind: string;
  readonly at: number;
  /** Null where it is the server's word alone: it is not witnessed yet, or its proof does not hold here. */
  readonly proved: Proved | null;
  readonly proof: string | null;
}

export interface Later {
  /** Up to how many entries the server looked. */
  readonly size: number;
  readonly entries: readonly LaterEntry[];
}

/** After these the entry before is in force no more, or in another form. */
const ENDS: ReadonlySet<string> = new Set([
  "orders:isolation:issued",
  "orders:order:lifted",
  "orders:release:noticed",
  "orders:appeal:won",
  "orders:case:destroyed",
  "gates:act:lifted",
  "gates:ages:set",
  "gates:passes:withdrawn",
  "announcements:announcement:superseded",
  "announcements:announcement:withdrawn",
  "rules:document:ended",
]);

export function ends(kind: string): boolean {
  return ENDS.has(kind);
}

/** Null without network, or where the server does not have the entry. */
export async function laterThan(entry: Entry, policy: Policy, ask: (path: string) => Promise<unknown> = asked): Promise<Later | null> {
  const answer = await ask(`later/${hex(entry.leaf)}/${hex(sha256(entry.data))}`);
  if (!isRecord(answer) || typeof answer["size"] !== "number" || !Array.isArray(answer["later"])) return null;
  const leaves = [entry.leaf];
  const entries: LaterEntry[] = [];
  for (const one of answer["later"] as unknown[]) {
    if (!isRecord(one) || typeof one["kind"] !== "string" || typeof one["at"] !== "number") return null;
    const proof = typeof one["proof"] === "string" ? one["proof"] : null;
    const proved = proof === null ? null : await provedBy(proof, policy);
    const prior = proved?.entry?.act.prior ?? null;
    if (proved?.entry && prior !== null && leaves.some((leaf) => compare(leaf, prior) === 0)) {
      leaves.push(proved.entry.leaf);
      entries.push({ kind: proved.entry.act.kind, at: proved.entry.act.issuedAt, proved, proof });
    } else entries.push({ kind: one["kind"], at: one["at"], proved: null, proof: null });
  }
  return { size: answer["size"], entries };
}

async function provedBy(text: string, policy: Policy): Promise<Proved | null> {
  try {
    return await verifyPaperProof(fromQrText(text), policy);
  } catch (error) {
    if (error instanceof NotCanonical || error instanceof NotSigned || error instanceof NotProved) return null;
    throw error;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

async function asked(path: string): Promise<unknown> {
  try {
    const answer = await fetch(`../chain/${path}`, { cache: "no-store", redirect: "error" });
    return answer.ok ? ((await answer.json()) as unknown) : null;
  } catch {
    return null;
  }
}
