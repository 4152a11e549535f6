/**
 * The organs' signing keys as one list that the log signs: whose act an entry is.
 *
 * Twin of `lianfang_chain.organs`. Lines are only ever added; a key that was replaced vouches for what stands before the
 * announcement of the next one, and for nothing behind it.
 */

import { compare } from "../bytes";
import { verifyEd25519 } from "./ed25519";
import type { Entry } from "./entry";
import { sha256 } from "./hash";
import { decimal, ED25519, Malformed, NotSigned, openNote, VerifierKey } from "./note";
import type { Policy } from "./policy";

const FIRST_LINE = "lianfang-organs/v1";
const MAX_LIST_BYTES = 131_072;
const BETWEEN = " | ";

export interface Organ {
  readonly code: string;
  readonly key: VerifierKey;
  /** Of the entry that announced the key. */
  readonly index: number;
  /** As the announcement says it; both empty where it says none, the English where it has none. */
  readonly name: string;
  readonly nameEn: string;
  readonly line: string;
}

function parseOrgan(origin: string, line: string): Organ {
  const [word, code = "", vkey = "", index = "", ...rest] = line.split(" ");
  if (word !== "organ") throw new Malformed("not an organ line");
  const names = rest.length === 0 ? [] : rest.join(" ").split(BETWEEN);
  const [name = "", nameEn = ""] = names;
  if (rest.includes("") || names.length > 2 || names.some((part) => part.includes("|"))) throw new Malformed("not the name of an organ");
  const key = VerifierKey.parse(vkey);
  if (key.type !== ED25519 || key.name !== `${origin}/organ/${code}`) throw new Malformed("not the key of an organ");
  return { code, key, index: decimal(index), name, nameEn, line };
}

/**
 * @throws Malformed: not such a list
 * @throws NotSigned: no log of the policy signed it
 */
export async function openOrgans(data: Uint8Array, policy: Policy): Promise<Organ[]> {
  const { note, verified } = await openNote(data, policy.logs, MAX_LIST_BYTES);
  const [first, origin = "", ...lines] = note.text.split("\n");
  if (first !== FIRST_LINE) throw new Malformed("not a list of organs");
  if (!verified.some(({ key }) => key.name === origin)) throw new NotSigned("the list of another log");
  return lines.slice(0, -1).map((line) => parseOrgan(origin, line));
}

/** Whether every line of the earlier list stands in the later one. */
export function continues(later: readonly Organ[], earlier: readonly Organ[]): boolean {
  const lines = new Set(later.map(({ line }) => line));
  return earlier.every(({ line }) => lines.has(line));
}

/** What the organ is called, its code behind it; the code alone where no name was announced. */
export function called({ code, name, nameEn }: Organ, language: "zh" | "en"): string {
  if (name === "") return code;
  return language === "zh" ? `${name}（${code}）` : `${nameEn === "" ? name : nameEn} (${code})`;
}

/** Whose key signed an entry; `replaced` is the key that had been announced in its place before the entry: then it is not
 * known whether the organ signed. */
export interface SignedBy {
  readonly organ: Organ;
  readonly replaced: Organ | null;
}

/**
 * Whose key signed the entry at this place; null when the list does not have the key, so nothing is known of it.
 *
 * @throws NotSigned: the signature is wrong, or the key is another organ's than the entry names
 */
export async function signerOf(entry: Entry, index: number, organs: readonly Organ[]): Promise<SignedBy | null> {
  const organ = organs.find(({ key }) => compare(sha256(key.publicKey).slice(0, 8), entry.kid) === 0);
  if (organ === undefined) return null;
  if (!(await verifyEd25519(organ.key.publicKey, entry.signed, entry.signature))) {
    throw new NotSigned(`${organ.key.name}: the signature is wrong`);
  }
  if (organ.code !== entry.act.organ) throw new NotSigned(`signed by ${organ.code}, and it names ${entry.act.organ}`);
  const behind = organs.filter((one) => one.code === organ.code && organ.index < one.index && one.index < index);
  return { organ, replaced: behind.sort((a, b) => a.index - b.index)[0] ?? null };
}
