/** Whom to trust, as one file (C2SP tlog-policy draft). Twin of `lianfang_chain.policy`. */

import { compare } from "../bytes";
import { COSIGNATURE, decimal, ED25519, Malformed, VerifierKey } from "./note";

const NONE = "none";

export interface Witness {
  readonly name: string;
  readonly key: VerifierKey;
}

interface Group {
  readonly needed: number;
  readonly members: readonly string[];
}

export class Policy {
  readonly logs: VerifierKey[] = [];
  readonly witnesses: Witness[] = [];
  readonly #groups = new Map<string, Group>();
  readonly #members = new Set<string>();
  #quorum: string | undefined;

  /** @throws Malformed: the file does not say clearly whom to trust, so nobody is trusted */
  static parse(text: string): Policy {
    if (text.length > 65_536) throw new Malformed("too long");
    const policy = new Policy();
    text.split("\n").forEach((line, i) => {
      const words = line.split(/\s+/).filter((word) => word !== "");
      if (words.length === 0 || words[0]?.startsWith("#")) return;
      try {
        policy.#take(words);
      } catch (error) {
        throw new Malformed(`line ${i + 1}: ${error instanceof Error ? error.message : String(error)}`);
      }
    });
    if (policy.logs.length === 0) throw new Malformed("no log");
    if (policy.#quorum === undefined) throw new Malformed("no quorum line");
    return policy;
  }

  logOf(origin: string): VerifierKey | undefined {
    return this.logs.find((log) => log.name === origin);
  }

  /** How many must have seen it, and of how many: for a sentence, only where the quorum is one plain group. */
  get needed(): { readonly needed: number; readonly of: number } | null {
    const group = this.#groups.get(this.#quorum ?? "");
    return group === undefined ? null : { needed: group.needed, of: group.members.length };
  }

  metBy(names: ReadonlySet<string>): boolean {
    return this.#quorum === NONE || this.#met(this.#quorum ?? "", names);
  }

  #met(name: string, names: ReadonlySet<string>): boolean {
    const group = this.#groups.get(name);
    if (group === undefined) return names.has(name);
    return group.members.filter((member) => this.#met(member, names)).length >= group.needed;
  }

  #take(words: readonly string[]): void {
    const [kind, a = "", b = "", ...rest] = words;
    if (kind === "log" && words.length >= 2 && words.length <= 3) this.#log(a);
    else if (kind === "witness" && words.length >= 3 && words.length <= 4) this.#witness(a, b);
    else if (kind === "group" && rest.length > 0) this.#group(a, b, rest);
    else if (kind === "quorum" && words.length === 2) {
      if (this.#quorum !== undefined) throw new Malformed("a second quorum");
      if (a !== NONE) this.#mustBeDefined(a);
      this.#quorum = a;
    } else throw new Malformed("not a log, witness, group or quorum line");
  }

  #log(vkey: string): void {
    const key = VerifierKey.parse(vkey);
    if (key.type !== ED25519) throw new Malformed("a log signs with a key of type 1");
    if (this.logs.some((log) => log.is(key.name, key.keyId))) throw new Malformed("a log named twice");
    this.logs.push(key);
  }

  #witness(name: string, vkey: string): void {
    this.#mustBeNew(name);
    const key = VerifierKey.parse(vkey);
    if (key.type !== COSIGNATURE) throw new Malformed("a witness cosigns with a key of type 4");
    // Two names for one key would let one party be counted twice.
    if (this.witnesses.some((w) => compare(w.key.publicKey, key.publicKey) === 0)) {
      throw new Malformed("one key under two names");
    }
    this.witnesses.push({ name, key });
  }

  #group(name: string, needed: string, members: readonly string[]): void {
    this.#mustBeNew(name);
    if (new Set(members).size !== members.length) throw new Malformed("a member named twice");
    for (const member of members) {
      this.#mustBeDefined(member);
      if (this.#members.has(member)) throw new Malformed(`${member} is a member of another group already`);
    }
    const count = needed === "all" ? members.length : needed === "any" ? 1 : decimal(needed);
    if (count < 1 || count > members.length) throw new Malformed("more needed than there are, or none");
    for (const member of members) this.#members.add(member);
    this.#groups.set(name, { needed: count, members });
  }

  #isDefined(name: string): boolean {
    return this.#groups.has(name) || this.witnesses.some((w) => w.name === name);
  }
  #mustBeNew(name: string): void {
    if (name === NONE || this.#isDefined(name)) throw new Malformed(`the name ${name} is taken`);
  }
  #mustBeDefined(name: string): void {
    if (!this.#isDefined(name)) throw new Malformed(`${name} is not defined above`);
  }
}
