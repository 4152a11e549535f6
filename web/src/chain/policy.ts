/** Whom to trust, as one file (C2SP tlog-policy draft). Twin of `lianfang_chain.policy`. */

import { compare } from "../bytes";
import { COSIGNATURE, decimal, ED25519, Malformed, VerifierKey } from "./note";

const NONE = "none";
/** Groups within groups; going down them is recursion. */
const MAX_DEPTH = 16;

export interface Witness {
  readonly name: string;
  readonly key: VerifierKey;
}

/** One witness took the place of another, as the entry `index` of the chain says. */
export interface Change {
  readonly index: number;
  readonly day: string;
  readonly name: string;
  readonly before: string;
}

const CHANGE = /^# entry (0|[1-9][0-9]{0,14}) of ([0-9]{4}-[0-9]{2}-[0-9]{2}): (\S+) took the place of (\S+)$/;

interface Group {
  readonly needed: number;
  readonly depth: number;
  readonly members: readonly string[];
}

export class Policy {
  readonly logs: VerifierKey[] = [];
  readonly witnesses: Witness[] = [];
  readonly changes: Change[] = [];
  readonly #groups = new Map<string, Group>();
  readonly #members = new Set<string>();
  #quorum: string | undefined;

  /** @throws Malformed: the file does not say clearly whom to trust, so nobody is trusted */
  static parse(text: string): Policy {
    if (text.length > 65_536) throw new Malformed("too long");
    const policy = new Policy();
    text.split("\n").forEach((line, i) => {
      const words = line.split(/\s+/).filter((word) => word !== "");
      const said = CHANGE.exec(line);
      if (said === null && (words.length === 0 || words[0]?.startsWith("#"))) return;
      try {
        if (said === null) policy.#take(words);
        else policy.#change({ index: Number(said[1]), day: said[2] ?? "", name: said[3] ?? "", before: said[4] ?? "" });
      } catch (error) {
        throw new Malformed(`line ${i + 1}: ${error instanceof Error ? error.message : String(error)}`);
      }
    });
    if (policy.logs.length === 0) throw new Malformed("no log");
    if (policy.#quorum === undefined) throw new Malformed("no quorum line");
    if (policy.changes.length > 0 && policy.logs.length > 1) throw new Malformed("a change, and more than one log");
    return policy;
  }

  /** The first change that a checkpoint of so many entries does not hold; null where today's witnesses judge it. */
  changedAfter(size: number): Change | null {
    return this.changes.find(({ index }) => size <= index) ?? null;
  }

  /** Who judges a checkpoint of so many entries: those in office when it was signed. */
  at(size: number): Policy {
    return this.changes.filter(({ index }) => size <= index).reduceRight((policy: Policy, change) => policy.#before(change), this);
  }

  /** What the file says, without comments and addresses: two files of one content say the same of whom to trust. */
  get content(): string {
    return JSON.stringify([
      this.logs.map(String),
      this.witnesses.map(({ name, key }) => [name, String(key)]),
      [...this.#groups],
      this.#quorum,
      this.changes.map(({ index, name, before }) => [index, name, before]),
    ]);
  }

  /** This file with one change more: the new witness stands last and counts where the other did. */
  after(change: Change, key: VerifierKey): Policy {
    const policy = this.#renamed(change.before, change.name);
    // A file from before changes were written down has the line already.
    const added = this.#isDefined(change.name) ? [] : [{ name: change.name, key }];
    policy.witnesses.push(...this.witnesses, ...added);
    policy.changes.push(...this.changes, change);
    return policy;
  }

  #before(change: Change): Policy {
    const policy = this.#renamed(change.name, change.before);
    policy.witnesses.push(...this.witnesses.filter(({ name }) => name !== change.name));
    policy.changes.push(...this.changes.filter(({ index }) => index < change.index));
    return policy;
  }

  #renamed(from: string, to: string): Policy {
    const named = (name: string): string => (name === from ? to : name);
    const policy = new Policy();
    policy.logs.push(...this.logs);
    for (const [name, group] of this.#groups) policy.#groups.set(name, { ...group, members: group.members.map(named) });
    for (const member of this.#members) policy.#members.add(named(member));
    if (this.#quorum !== undefined) policy.#quorum = named(this.#quorum);
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

  /** Whether this file is content with the log's word alone. */
  get asksNobody(): boolean {
    return this.#quorum === NONE;
  }

  metBy(names: ReadonlySet<string>): boolean {
    return this.asksNobody || this.#met(this.#quorum ?? "", names);
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

  #change(change: Change): void {
    const { index, name, before } = change;
    if (name === before || ![name, before].every((one) => this.witnesses.some((w) => w.name === one))) {
      throw new Malformed("a change of witnesses that are not defined above");
    }
    if (this.#members.has(before) || before === this.#quorum) throw new Malformed(`${before} has left and counts`);
    const last = this.changes.at(-1);
    if (last !== undefined && index <= last.index) throw new Malformed("changes out of order");
    if (this.changes.some((c) => c.name === name || c.before === before)) throw new Malformed("one witness comes or leaves twice");
    this.changes.push(change);
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
    const depth = 1 + Math.max(...members.map((member) => this.#groups.get(member)?.depth ?? 0));
    if (depth > MAX_DEPTH) throw new Malformed("groups too deep within each other");
    for (const member of members) this.#members.add(member);
    this.#groups.set(name, { needed: count, depth, members });
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
