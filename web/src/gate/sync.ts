/**
 * The gate and the network: everything here may fail at any moment and changes nothing then.
 *
 * Loops of their own, so that none waits for another: uploads (every 20 s, at once after a passage), signals (the
 * same; a call for help waits behind no full queue), lists (long poll, or every five seconds where there are many; random 0–10 s after a lost connection, so that 552 gates do not come back in one
 * instant), quotas and perimeters (every 20 s: what was lifted frees at once), and slow files (keys, the own post and its
 * compound, the chain's checkpoint: each every ten minutes).
 */

import { type Bytes, concat, equal } from "../bytes";
import { CborMap, decode } from "../cbor";
import { timeUsed } from "../pass/clock";
import { AGES, type Ages } from "../pass/evidence";
import { acceptKeyList, KeyList } from "../pass/keylist";
import { PublicKey } from "../pass/keys";
import { passNumber } from "../pass/number";
import { acceptReceipt, acceptWithdrawal, encodeBatch, LONGEST_ROW } from "../pass/passages";
import { Rejected } from "../pass/rejected";
import { acceptRules, type RuleSet } from "../pass/rules";
import type { Held, StoreRow } from "../pass/scan";
import type { Signal } from "../pass/signals";
import { acceptDelta, acceptList, type ShardState } from "../pass/statuslist";
import { type Identity, PASS_CLASSES, type PassClass } from "../pass/tokens";
import { chainFile, forkAtTheParties } from "../chain/alarms";
import type { Compared } from "../chain/sheets";
import { type Fork, meetSheet, visitChain, type Which } from "./chain";
import { postFacts } from "./enrol";
import { type Answer, errorCode, mapOf, Server, Unreachable, withdrawalIn } from "./server";
import type { ClockState, Enrolment, GateStore } from "./store";

const WAIT = 25;
/** A browser may hold six connections to a server. With more lists than these none is waited for, or no upload got through. */
const MOST_WAITING = 3;
/** How often each of many lists is asked for. */
const OFTEN = 5_000;
const SLOW = 600_000;
const RULES = 20_000;
const UPLOAD = 20_000;
/** A burst at the gate is sent together. */
const BURST = 1500;

export type Network = "unknown" | "online" | "offline" | "withdrawn";

export class Sync {
  keys: KeyList | null = null;
  rules: RuleSet | null = null;
  shards = new Map<string, ShardState>();
  clock: ClockState = { floor: 0, offset: 0, heardAt: null };
  network: Network = "unknown";
  /** Numbers and doors of the own compound can be looked up; true where there is none to look up in. */
  compoundHere = false;
  /** The chain told this gate two stories. */
  fork: Fork | null = null;
  /** A witness has evidence that it told two stories, as the server said last. */
  forkAtTheParties = false;
  /** Which chain the server speaks of. */
  chain: Which = "same";
  /** The server signed that this device is withdrawn: lists and residents are gone from it, and only what was written is sent. */
  cleared = false;
  #stopped = false;
  #rulesTag: string | null = null;
  readonly #rows = new Bell();
  readonly #signals = new Bell();
  /** The lists, and the compound's file, that a loop asks for. */
  readonly #followed = new Set<string>();
  #postTag: string | null = null;
  /** Rows with a code wait: this server is from before them. */
  #longWait = false;

  private constructor(
    readonly store: GateStore,
    /** As the desk has corrected it since (`#postFile`). */
    public enrolment: Enrolment,
    readonly server: Server,
    readonly deviceTime: () => number,
    readonly changed: () => void,
  ) {}

  /** Read what is stored; a file that does not verify any more is left out, the rest stays usable. */
  static async open(
    store: GateStore,
    enrolment: Enrolment,
    deviceTime: () => number,
    changed: () => void,
  ): Promise<Sync> {
    const server = new Server(
      enrolment,
      () => ({ device: deviceTime(), offset: sync.clock.offset }),
      (serverTime, at) => sync.#heard(serverTime, at),
    );
    const sync: Sync = new Sync(store, enrolment, server, deviceTime, changed);
    sync.clock = await store.clock();
    const keys = await store.file("keys");
    if (keys !== null) await sync.#takeKeys(keys, await store.withdrawn()).catch(() => undefined);
    const rules = await store.file("rules");
    if (rules !== null && sync.keys !== null) {
      sync.rules = await acceptRules(rules, sync.keys, null).catch(() => null);
    }
    for (const shard of await store.shards()) sync.shards.set(shard.uri, shard);
    sync.compoundHere = enrolment.compounds.length === 0 || (await store.compoundTag()) !== null;
    sync.cleared = (await store.setting<boolean>("deviceWithdrawn")) === true;
    if (sync.cleared) sync.network = "withdrawn";
    return sync;
  }

  get held(): Held {
    return {
      keys: this.keys,
      shards: this.shards,
      floor: this.clock.floor,
      offset: this.clock.offset,
      rules: this.rules,
    };
  }

  /** How old a list may be: the rule set's, or what is usual. */
  get ages(): Ages {
    return this.rules?.ages ?? AGES;
  }

  /** The instant of the oldest list among those this gate must have; null while one is missing. */
  get listAt(): number | null {
    let oldest: number | null = null;
    for (const uri of this.enrolment.shards) {
      const shard = this.shards.get(uri);
      if (shard === undefined) return null;
      oldest = oldest === null ? shard.signedAt : Math.min(oldest, shard.signedAt);
    }
    return oldest;
  }

  get listVersion(): number {
    return Math.max(0, ...[...this.shards.values()].map((shard) => shard.version));
  }

  start(): void {
    // Open to all, and asked for by a withdrawn device too: a receipt may be signed by a new key.
    void this.#loop(() => this.#keysFile(), SLOW, () => true);
    void this.#loop(() => this.#rulesFile(), RULES);
    void this.#loop(() => this.#postFile(), SLOW);
    this.#followFiles();
    void this.#loop(() => this.#chain(), SLOW);
    void this.#sending(async () => {
      while (await this.#uploadOne()) this.changed();
    }, this.#rows, BURST);
    void this.#sending(() => this.#sendSignals(), this.#signals, 0);
  }

  /** A loop for each file that this post gets and that has none yet; that of a list it gets no more ends. */
  #followFiles(): void {
    if (this.enrolment.compounds.length > 0 && !this.#followed.has("compound")) {
      this.#followed.add("compound");
      void this.#loop(() => this.#compoundFile(), SLOW);
    }
    for (const uri of this.enrolment.shards) {
      if (this.#followed.has(uri)) continue;
      this.#followed.add(uri);
      const many = (): boolean => this.enrolment.shards.length > MOST_WAITING;
      const own = (): boolean => !this.cleared && this.enrolment.shards.includes(uri);
      void this.#loop(() => this.#list(uri, many() ? 0 : WAIT), () => (many() ? OFTEN : 0), own).then(() =>
        this.#followed.delete(uri),
      );
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Something new waits to be sent. */
  wake(): void {
    this.#rows.ring();
    this.#signals.ring();
  }

  async raiseFloor(floor: number): Promise<void> {
    if (floor <= this.clock.floor) return;
    // It counts from now on, whatever the disk does.
    this.clock = { ...this.clock, floor };
    await this.store.heard(floor, null, null);
  }

  async #heard(serverTime: number, deviceTime: number): Promise<void> {
    this.clock = await this.store.heard(serverTime, serverTime - deviceTime, deviceTime);
    this.#is("online");
  }

  async #loop(step: () => Promise<void>, pause: number | (() => number), wanted = (): boolean => !this.cleared): Promise<void> {
    while (!this.#stopped && wanted()) {
      try {
        await step();
        await sleep(typeof pause === "number" ? pause : pause());
      } catch (error) {
        if (error instanceof Unreachable) this.#is("offline");
        // A file that is refused is asked for again like one that did not come.
        await sleep(1000 + Math.random() * 10_000);
      }
    }
  }

  #is(network: Network): void {
    // Nothing but a new enrolment ends it, and a line that fails now must not hide it.
    if (this.network === "withdrawn") return;
    if (this.network !== network) {
      this.network = network;
      this.changed();
    }
  }

  async #ask(path: string, etag: string | null, seconds?: number): Promise<Answer> {
    if (this.keys === null) throw new Unreachable("no keys");
    const answer = await this.server.ask(path, this.keys, { etag, ...(seconds === undefined ? {} : { seconds }) });
    if (answer.status === 401 && errorCode(answer.body) === "device") await this.#turnedAway(answer);
    return answer;
  }

  /**
   * T40: only the server's signed word, of this very device, deletes anything. Unsigned it may be a captive portal's, or
   * that of a server of before: with its signed time it is shown, and that is all.
   */
  async #turnedAway(answer: Answer): Promise<void> {
    const said = withdrawalIn(answer.body);
    const signed =
      said !== null &&
      this.keys !== null &&
      (await acceptWithdrawal(said, this.enrolment.device, this.keys).then(
        () => true,
        () => false,
      ));
    if (answer.time === null && !signed) throw new Unreachable("not the server's word");
    this.network = "withdrawn";
    if (signed) {
      // First, so that no file that is on its way is kept behind it.
      this.cleared = true;
      await this.store.withdraw();
      this.shards.clear();
      this.rules = null;
      this.compoundHere = this.enrolment.compounds.length === 0;
    }
    this.changed();
  }

  async #takeKeys(bytes: Bytes, withdrawn: readonly string[]): Promise<void> {
    const root = PublicKey.fromPoint(this.enrolment.rootPoint);
    const taken = await acceptKeyList(bytes, root, this.enrolment.rootThumbprint, this.keys);
    this.keys = new KeyList(
      taken.version,
      taken.issuedAt,
      taken.expiresAt,
      taken.keys,
      new Set([...taken.withdrawn, ...withdrawn]),
    );
  }

  async #keysFile(): Promise<void> {
    const keys = await this.#ask("/keys", null);
    if (keys.status !== 200) return;
    await this.#takeKeys(keys.body, [...(this.keys?.withdrawn ?? [])]);
    await this.store.keepFile("keys", keys.body);
    if (this.keys === null) return;
    await this.store.keepWithdrawn([...this.keys.withdrawn]);
    await this.raiseFloor(this.keys.issuedAt);
    this.changed();
  }

  async #rulesFile(): Promise<void> {
    // This client reads the ages of evidence; one that does not say so is given the set without them.
    const rules = await this.#ask(`${this.server.gatePath}/rules?ages=1`, this.#rulesTag);
    if (rules.status !== 200 || this.keys === null) return;
    const taken = await acceptRules(rules.body, this.keys, this.rules);
    if (this.cleared) return;
    this.rules = taken;
    await this.store.keepFile("rules", rules.body);
    this.#rulesTag = rules.etag;
    await this.raiseFloor(this.rules.issuedAt);
    this.changed();
  }

  /**
   * What the desk has corrected of this post since it was enrolled. Like the compound's file it is not signed: whose list
   * it names, that list is.
   */
  async #postFile(): Promise<void> {
    const answer = await this.#ask(`${this.server.gatePath}/post`, this.#postTag);
    // Not without the signed time: a captive portal answers 200 to everything. A server of before knows no such file.
    if (answer.status !== 200 || answer.time === null) return;
    const post = postFacts(mapOf(answer.body));
    const { gateName, compounds, shards, communityPhone, kind, guards = [] } = this.enrolment;
    if (JSON.stringify(post) !== JSON.stringify({ gateName, compounds, shards, communityPhone, kind, guards })) {
      await this.store.correct(post);
      this.enrolment = { ...this.enrolment, ...post };
      const anew = post.compounds.join() !== compounds.join();
      if (anew) this.compoundHere = post.compounds.length === 0;
      const followed = this.#followed.has("compound");
      this.#followFiles();
      this.changed();
      // Whoever lived in the former compound is looked up here no more.
      if (anew && followed) await this.#compoundFile();
    }
    this.#postTag = answer.etag;
  }

  async #compoundFile(): Promise<void> {
    const compound = await this.#ask(`${this.server.gatePath}/compound`, await this.store.compoundTag());
    if (compound.status === 304) this.compoundHere = true;
    if (compound.status !== 200 || this.cleared) return;
    await this.store.keepCompound(readCompound(compound.body), compound.etag ?? "");
    this.compoundHere = true;
    this.changed();
  }

  async #chain(): Promise<void> {
    const day = Math.floor((this.now + 8 * 3600) / 86_400);
    const { which, fork } = await visitChain(this.store, day, chainFile);
    // What was followed is said until the page is opened again.
    if (which !== "same" || this.chain === "other") this.chain = which;
    this.forkAtTheParties = (await forkAtTheParties(chainFile)) ?? this.forkAtTheParties;
    await this.#tellFork(fork);
  }

  /** Compare a board sheet's code with what this gate holds. */
  async meetSheet(text: string): Promise<Compared["kind"]> {
    const kind = await meetSheet(this.store, text, chainFile);
    await this.#tellFork(await this.store.setting<Fork>("chainFork"));
    return kind;
  }

  async #tellFork(fork: Fork | null): Promise<void> {
    this.fork = fork;
    this.changed();
    if (fork === null) return;
    if (fork.said) return;
    await this.tell({ kind: "fork", at: this.deviceTime(), facts: { held: fork.held, told: fork.told } });
    await this.store.keepSetting("chainFork", { ...fork, said: true });
  }

  /** One step of one shard: the whole list if there is none, else the changes since, waiting for them. */
  async #list(uri: string, wait: number): Promise<void> {
    const path = `/s/${uri.replace(/^lf:s\//, "")}`;
    const held = this.shards.get(uri);
    if (held === undefined) return this.#wholeList(uri, path, null);
    // With its last number: if this device dies now, the server knows how many rows died with it.
    const last = await this.store.lastSeq();
    const answer = await this.#ask(`${path}/d?v=${held.version}&wait=${wait}&last=${last}`, null, wait + 15);
    if (answer.status === 304) return;
    if (answer.status === 410) return this.#wholeList(uri, path, held);
    if (answer.status !== 200 || this.keys === null) throw new Unreachable(`status ${answer.status}`);
    let state = held;
    for (const delta of arrayOf(answer.body)) {
      try {
        state = await acceptDelta(delta, this.keys, state);
      } catch (error) {
        if (error instanceof Rejected && error.code === "gap") return this.#wholeList(uri, path, held);
        if (error instanceof Rejected && error.code === "rollback") continue;
        throw error;
      }
    }
    if (state.version > held.version) await this.#keep(state);
  }

  async #wholeList(uri: string, path: string, held: ShardState | null): Promise<void> {
    const [whole, until] = await Promise.all([this.#ask(path, null, 60), this.#ask(`${path}/u`, null, 60)]);
    if (whole.status !== 200 || until.status !== 200 || this.keys === null) throw new Unreachable("no list");
    await this.#keep(await acceptList(whole.body, until.body, uri, this.keys, held));
  }

  async #keep(state: ShardState): Promise<void> {
    if (this.cleared) return;
    await this.store.keepShard(state);
    this.shards.set(state.uri, state);
    await this.raiseFloor(state.signedAt);
    this.changed();
  }

  // --- uploads -----------------------------------------------------------------------------

  /** Send what waits: every 20 s, and soon after something new does. */
  async #sending(send: () => Promise<void>, bell: Bell, pause: number): Promise<void> {
    while (!this.#stopped) {
      bell.listen();
      try {
        await send();
      } catch (error) {
        if (error instanceof Unreachable) this.#is("offline");
      }
      await Promise.race([sleep(UPLOAD), bell.rung()]);
      await sleep(pause);
    }
  }

  /** Send the oldest batch; true when it left the device and another may follow. */
  async #uploadOne(): Promise<boolean> {
    const batch = await this.store.nextBatch(this.#longWait ? LONGEST_ROW : undefined);
    if (batch === null || this.keys === null) return false;
    const answer = await this.server.ask(`${this.server.gatePath}/passages`, this.keys, {
      method: "POST",
      body: encodeBatch(batch),
      seconds: 60,
    });
    if (answer.status === 409) {
      const conflicts = mapOf(answer.body).get(3);
      const seqs = Array.isArray(conflicts) ? conflicts.filter((seq): seq is number => typeof seq === "number") : [];
      if (seqs.length === 0) return false;
      await this.store.setAside(seqs);
      return true;
    }
    if (answer.status === 400 && batch.rows.some((row) => row.length > LONGEST_ROW)) {
      // A server that went back a version. Its rows with a code are kept and tried again; none waits behind them.
      this.#longWait = true;
      setTimeout(() => (this.#longWait = false), SLOW);
      return true;
    }
    if (answer.status !== 201) return false;
    const receipt = await acceptReceipt(answer.body, this.keys).catch(() => null);
    if (receipt === null) return false;
    return this.store.forget(batch, receipt);
  }

  /** Take the receipts of a file that was handed in on the desk; how many rows they cover. @throws: it is no such file */
  async takeReceipts(file: Bytes): Promise<number> {
    const { receipts, conflicts } = readReceipts(file);
    let covered = 0;
    for (const signed of receipts) {
      if (this.keys === null) break;
      covered += await this.store.forgetCovered(await acceptReceipt(signed, this.keys));
    }
    const own = conflicts.find(({ device }) => equal(device, this.enrolment.device));
    if (own !== undefined) await this.store.setAside(own.seqs);
    this.changed();
    return covered;
  }

  async #sendSignals(): Promise<void> {
    if (this.keys === null) return;
    await this.store.sealOldSignals(this.keys, this.now);
    const { batch } = await this.store.signals();
    if (batch === null) return;
    const body = encodeBatch(batch);
    const answer = await this.server.ask(`${this.server.gatePath}/signals`, this.keys, { method: "POST", body });
    if (answer.status !== 201) return;
    const receipt = await acceptReceipt(answer.body, this.keys).catch(() => null);
    if (receipt !== null && (await this.store.forgetSignals(batch, receipt))) this.changed();
  }

  /** Tell the server something besides passages; kept until it has receipted it. */
  async tell(signal: Signal): Promise<void> {
    if (this.keys === null) throw new Error("no keys, so no sealing");
    await this.store.signal(signal, this.keys, this.now);
    this.wake();
  }

  /** The instant this gate counts with. */
  get now(): number {
    return timeUsed(this.deviceTime(), this.clock.offset, this.clock.floor).at;
  }
}

/** Wakes one that waits; rung since `listen`, it does not wait at all. */
class Bell {
  #rang = false;
  #wake: () => void = () => undefined;

  listen(): void {
    this.#rang = false;
  }

  ring(): void {
    this.#rang = true;
    this.#wake();
  }

  async rung(): Promise<void> {
    if (!this.#rang) await new Promise<void>((resolve) => (this.#wake = resolve));
  }
}

function arrayOf(body: Bytes): Bytes[] {
  const value = decode(body, 16 * 1024 * 1024);
  if (!Array.isArray(value)) throw new Rejected("cbor");
  return value.map((item) => {
    if (!(item instanceof Uint8Array)) throw new Rejected("cbor");
    return concat(item);
  });
}

/** The desk's answer to a file of records. @throws Rejected, NotCanonical: it is none */
export function readReceipts(file: Bytes): { receipts: Bytes[]; conflicts: { device: Bytes; seqs: number[] }[] } {
  const map = decode(file, 16 * 1024 * 1024);
  const [receipts, conflicts] = map instanceof CborMap && map.get(1) === 1 ? [map.get(2), map.get(3)] : [];
  if (!Array.isArray(receipts) || !Array.isArray(conflicts)) throw new Rejected("format");
  return {
    receipts: receipts.map((one) => {
      if (!(one instanceof Uint8Array)) throw new Rejected("claims");
      return concat(one);
    }),
    conflicts: conflicts.map((one) => {
      const [device, seqs] = Array.isArray(one) ? one : [];
      if (!(device instanceof Uint8Array) || !Array.isArray(seqs)) throw new Rejected("claims");
      return { device: concat(device), seqs: seqs.filter((seq): seq is number => typeof seq === "number") };
    }),
  };
}

/** @throws Rejected: one row that is not as agreed refuses the whole list, and the old one stays */
export function readCompound(body: Bytes): StoreRow[] {
  const map = mapOf(body);
  if (map.get(1) !== 1) throw new Rejected("format");
  // Residents without a card, and passes that are over: a server before them says neither.
  const part = (key: number, otherwise?: unknown[]): unknown[] => {
    const rows = map.get(key) ?? otherwise;
    if (!Array.isArray(rows)) throw new Rejected("format");
    return rows;
  };
  return [
    ...part(2).map((row) => passRow(row, 8)),
    ...part(3, []).map(residentRow),
    ...part(4, []).map((row) => passRow(row, 9)),
  ];
}

function passRow(row: unknown, length: 8 | 9): StoreRow {
  if (!Array.isArray(row) || row.length !== length) throw new Rejected("claims");
  const [number, uri, index, letter, door, memberNo, initials, birthYear, endedAt = null] = row as unknown[];
  const passNo = typeof number === "string" ? passNumber(number) : null;
  if (passNo === null || typeof uri !== "string" || typeof index !== "number") throw new Rejected("claims");
  if (length === 9 ? typeof endedAt !== "number" : endedAt !== null) throw new Rejected("claims");
  return {
    passNo,
    listUri: uri,
    index,
    kind: classOf(letter),
    identity: identityOf(door, memberNo, initials, birthYear),
    endedAt: endedAt as number | null,
  };
}

function residentRow(row: unknown): StoreRow {
  if (!Array.isArray(row) || row.length !== 7) throw new Rejected("claims");
  const [door, memberNo, initials, birthYear, uri, index, letter] = row as unknown[];
  const listed = typeof uri === "string" && typeof index === "number";
  if (!listed && (uri !== null || index !== null)) throw new Rejected("claims");
  return {
    passNo: null,
    listUri: listed ? uri : null,
    index: listed ? index : null,
    kind: classOf(letter),
    identity: identityOf(door, memberNo, initials, birthYear),
    endedAt: null,
  };
}

function classOf(letter: unknown): PassClass {
  const kind = PASS_CLASSES.find((known) => known === letter);
  if (kind === undefined) throw new Rejected("claims");
  return kind;
}

function identityOf(door: unknown, memberNo: unknown, initials: unknown, birthYear: unknown): Identity {
  const isNumberOrNull = (value: unknown): value is number | null => value === null || typeof value === "number";
  if (typeof door !== "string" || typeof initials !== "string") throw new Rejected("claims");
  if (!isNumberOrNull(memberNo) || !isNumberOrNull(birthYear)) throw new Rejected("claims");
  return { door, memberNo, initials, birthYear };
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
