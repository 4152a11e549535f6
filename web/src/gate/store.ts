/**
 * What the gate keeps on the device, and the promises about it.
 *
 * 1. When `record` returns, the sealed row and the next sequence number are on disk, in one
 *    transaction: sequence numbers have no gap and no row is lost to a crash.
 * 2. Files (keys, rules, a shard's list with its ends) are stored whole or not at all, and only
 *    forward: a version not above the one stored is refused here too, whoever asks.
 * 3. A row leaves only under a receipt that covers it, whether that came by the network or in a file.
 *    The one row held back is on disk like any other, is in no upload, and until it is let go may be
 *    written anew under its number; a crash lets it go.
 * 4. The own compound is looked up by whole number, by whole door with a birth year, or by all four facts of a slip,
 *    never listed, and no method returns more than one door.
 * 5. Nothing else of a person is stored: rows are sealed to the server when written, and what
 *    is remembered of a pass is an HMAC of its `cti` under a key that cannot leave the device.
 */

import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import { type Bytes, hex } from "../bytes";
import { encode } from "../cbor";
import type { KeyList } from "../pass/keylist";
import { type Batch, covers, LONGEST_ROW, MOST_ROWS, type Passage, type Receipt, sealPassage } from "../pass/passages";
import { type Signal, sealSignal } from "../pass/signals";
import type { PublicKey } from "../pass/keys";
import type { StoreRow } from "../pass/scan";
import type { ShardState } from "../pass/statuslist";
import { type Identity, type PassClass, sameIdentity } from "../pass/tokens";
import { plainDoor } from "./lookup";
import { isNeeded, MOST_MARKS } from "./marks";

const NAME = "lianfang-gate";
const VERSION = 2;
/** A batch must stay below 65,535 bytes, and a row is in no two: most have two hundred, with a code up to 1,428. */
const ROWS_PER_BATCH = Math.min(MOST_ROWS, 150);
const BYTES_PER_BATCH = ROWS_PER_BATCH * LONGEST_ROW;

export type GateKind = "compound" | "road" | "site" | "venue";

export interface Enrolment {
  readonly device: Bytes;
  readonly gate: Bytes;
  readonly gateName: string;
  readonly compounds: readonly string[];
  readonly shards: readonly string[];
  readonly rootPoint: Bytes;
  readonly rootThumbprint: Bytes;
  readonly communityPhone: string;
  readonly kind: GateKind;
  /** Numbers of the guards named for the post; not in what an earlier app stored. */
  readonly guards?: readonly string[];
  /** Signs our requests; the private half cannot be exported. */
  readonly deviceKey: CryptoKeyPair;
  /** Key of the HMAC by which passes are remembered. */
  readonly markKey: CryptoKey;
}

/** What the desk may correct of a post while its devices are enrolled. */
export type PostFacts = Pick<Enrolment, "gateName" | "compounds" | "shards" | "communityPhone" | "kind" | "guards">;

export interface ClockState {
  readonly floor: number;
  readonly offset: number;
  /** Device time of the last signed answer of the server. */
  readonly heardAt: number | null;
}

export interface Shift {
  readonly guard: string;
  readonly startedAt: number;
  readonly counts: Readonly<Record<string, number>>;
}

/** What is remembered of one pass: when it went out, and when it was last shown. */
export interface Mark {
  readonly outs: readonly number[];
  readonly lastAt: number;
  readonly lastText: string;
}

interface CompoundRow {
  /** Where there is no card, `#` and its place in the list. */
  readonly passNo: string;
  readonly listUri: string | null;
  readonly index: number | null;
  /** Not in what an earlier app stored. */
  readonly endedAt?: number | null;
  readonly kind: PassClass;
  readonly door: string;
  readonly memberNo: number | null;
  readonly initials: string;
  readonly birthYear: number | null;
}

interface Schema extends DBSchema {
  device: { key: string; value: unknown };
  shards: { key: string; value: ShardState };
  compound: { key: string; value: CompoundRow; indexes: { door: string } };
  queue: { key: number; value: Bytes };
  /** Version 1 kept signals open; those are sealed by the first start of this one. */
  signals: { key: number; value: Signal };
  told: { key: number; value: { at: number; row: Bytes } };
  marks: { key: string; value: Mark };
}

type Setting =
  | "language"
  | "shift"
  | "pendingLifeExit"
  | "lookups"
  | "oldestUnsent"
  | "deviceWithdrawn"
  | "chainPolicy"
  | "chainDays"
  | "chainFork";

export class StoreTrouble extends Error {}

/** Where the next number of each order stands. */
const NEXT = { queue: "nextSeq", told: "nextSignal" } as const;
const DURABLE = { durability: "strict" } as const;

export class GateStore {
  #writing: Promise<unknown> = Promise.resolve();
  /** The own compound, read once: no look-up waits for the disk, least of all while a new list is written. */
  #compound: Promise<readonly StoreRow[]> | null = null;
  /** The row that is not sent yet. KNOWN: another tab does not know of it and may send it; the row is then in conflict, and shown. */
  #heldBack: number | null = null;

  /** Nothing is remembered of a pass any more. */
  #withdrawn = false;

  private constructor(readonly db: IDBPDatabase<Schema>) {}

  static async open(name: string = NAME): Promise<GateStore> {
    const db = await openDB<Schema>(name, VERSION, {
      upgrade(fresh, before) {
        fresh.createObjectStore("told");
        if (before >= 1) return;
        fresh.createObjectStore("device");
        fresh.createObjectStore("shards", { keyPath: "uri" });
        // The index is for an earlier app, should the server go back to it; this one looks up in memory.
        fresh.createObjectStore("compound", { keyPath: "passNo" }).createIndex("door", "door");
        fresh.createObjectStore("queue");
        fresh.createObjectStore("signals", { autoIncrement: true });
        fresh.createObjectStore("marks");
      },
      // A newer version of the app in another tab must not wait for this one.
      blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
    });
    const store = new GateStore(db);
    store.#withdrawn = (await store.setting<boolean>("deviceWithdrawn")) === true;
    return store;
  }

  // --- the device itself -------------------------------------------------------------------

  async enrolment(): Promise<Enrolment | null> {
    return ((await this.db.get("device", "enrolment")) as Enrolment | undefined) ?? null;
  }

  /** Begin as another gate; rows not yet sent stay and keep their device. */
  async enrol(enrolment: Enrolment, keyList: Bytes): Promise<void> {
    const stores = ["device", "shards", "compound", "marks", "queue", "told"] as const;
    const tx = this.db.transaction(stores, "readwrite", DURABLE);
    const before = (await tx.objectStore("device").get("enrolment")) as Enrolment | undefined;
    const unsent = (await tx.objectStore("queue").count()) + (await tx.objectStore("told").count());
    if (before !== undefined && unsent > 0 && hex(before.device) !== hex(enrolment.device)) {
      tx.abort();
      await tx.done.catch(() => undefined);
      throw new StoreTrouble("unsent");
    }
    await tx.objectStore("device").put(enrolment, "enrolment");
    await tx.objectStore("device").put(keyList, "keys");
    await tx.objectStore("device").delete("rules");
    // Its list goes below; with the old tag the server would answer that nothing has changed.
    await tx.objectStore("device").delete("compoundTag");
    // Whoever enrols a device anew pins the trust file anew: after a restart of the chain, too.
    await tx.objectStore("device").delete("deviceWithdrawn");
    for (const name of ["chainPolicy", "chainDays", "chainFork"]) await tx.objectStore("device").delete(name);
    if (before === undefined || hex(before.device) !== hex(enrolment.device)) {
      for (const next of Object.values(NEXT)) await tx.objectStore("device").put(1, next);
    }
    await tx.objectStore("shards").clear();
    await tx.objectStore("compound").clear();
    await tx.objectStore("marks").clear();
    await tx.done;
    this.#compound = null;
    this.#withdrawn = false;
  }

  /**
   * This device is withdrawn, and the server signed that (T40): who lives in the compound, the lists, the rules and what is
   * remembered of passes go. Rows and signals stay until a receipt covers them, and so does what sends them: device key and key list.
   */
  async withdraw(): Promise<void> {
    this.#withdrawn = true;
    const tx = this.db.transaction(["device", "shards", "compound", "marks"], "readwrite", DURABLE);
    await Promise.all([
      ...(["shards", "compound", "marks"] as const).map((name) => tx.objectStore(name).clear()),
      ...["rules", "compoundTag"].map((name) => tx.objectStore("device").delete(name)),
      tx.objectStore("device").put(true, "deviceWithdrawn"),
      tx.done,
    ]);
    this.#compound = Promise.resolve([]);
  }

  /** The own post was corrected on the desk; whose device this is stays. */
  async correct(post: PostFacts): Promise<void> {
    const tx = this.db.transaction("device", "readwrite", DURABLE);
    const held = (await tx.store.get("enrolment")) as Enrolment | undefined;
    if (held !== undefined) await tx.store.put({ ...held, ...post }, "enrolment");
    await tx.done;
  }

  async clock(): Promise<ClockState> {
    return ((await this.db.get("device", "clock")) as ClockState | undefined) ?? { floor: 0, offset: 0, heardAt: null };
  }

  /** Raise the floor and note the offset; a lower floor changes nothing. */
  async heard(floor: number, offset: number | null, deviceTime: number | null): Promise<ClockState> {
    const tx = this.db.transaction("device", "readwrite");
    const held = ((await tx.store.get("clock")) as ClockState | undefined) ?? { floor: 0, offset: 0, heardAt: null };
    const next: ClockState = {
      floor: Math.max(held.floor, floor),
      offset: offset ?? held.offset,
      heardAt: deviceTime ?? held.heardAt,
    };
    await tx.store.put(next, "clock");
    await tx.done;
    return next;
  }

  /** An earlier version kept the names of both guards of the last handover open; whoever needs them has the sealed signal. */
  async dropOldHandover(): Promise<void> {
    await this.db.delete("device", "lastHandover");
  }

  async setting<T>(name: Setting): Promise<T | null> {
    return ((await this.db.get("device", name)) as T | undefined) ?? null;
  }
  async keepSetting(
    name: Setting,
    value: unknown,
  ): Promise<void> {
    const tx = this.db.transaction("device", "readwrite", DURABLE);
    if (value === null) await tx.store.delete(name);
    else await tx.store.put(value, name);
    await tx.done;
  }

  // --- files -------------------------------------------------------------------------------

  async file(name: "keys" | "rules"): Promise<Bytes | null> {
    return ((await this.db.get("device", name)) as Bytes | undefined) ?? null;
  }
  /** The caller has verified it and that it is not older than the one held. */
  async keepFile(name: "keys" | "rules", bytes: Bytes): Promise<void> {
    await this.db.put("device", bytes, name);
  }
  async withdrawn(): Promise<string[]> {
    return ((await this.db.get("device", "withdrawn")) as string[] | undefined) ?? [];
  }
  async keepWithdrawn(thumbprints: readonly string[]): Promise<void> {
    await this.db.put("device", [...thumbprints], "withdrawn");
  }

  async shards(): Promise<ShardState[]> {
    return this.db.getAll("shards");
  }

  /** Store a shard's list, ends and version in one transaction; never an older one. */
  async keepShard(state: ShardState): Promise<void> {
    const tx = this.db.transaction("shards", "readwrite", DURABLE);
    const held = await tx.store.get(state.uri);
    if (held !== undefined && state.version <= held.version) {
      tx.abort();
      await tx.done.catch(() => undefined);
      throw new StoreTrouble("rollback");
    }
    await tx.store.put(state);
    await tx.done;
  }

  /** Replace the own compound's list whole. */
  async keepCompound(rows: readonly StoreRow[], etag: string): Promise<void> {
    const tx = this.db.transaction(["compound", "device"], "readwrite", DURABLE);
    const compound = tx.objectStore("compound");
    // All at once: look-ups wait for as long as this takes.
    await Promise.all([
      compound.clear(),
      ...rows.map(({ identity, passNo, ...row }, place) => compound.put({ passNo: passNo ?? `#${place}`, ...row, ...identity })),
      tx.objectStore("device").put(etag, "compoundTag"),
      tx.done,
    ]);
    this.#compound = Promise.resolve(rows);
  }
  async compoundTag(): Promise<string | null> {
    return ((await this.db.get("device", "compoundTag")) as string | undefined) ?? null;
  }

  async byNumber(passNo: string): Promise<StoreRow | null> {
    return (await this.#held()).find((row) => row.passNo === passNo) ?? null;
  }

  /** Who of this whole door was born in this year; nobody else of the door is told. */
  async byDoor(door: string, birthYear: number): Promise<StoreRow[]> {
    const whole = plainDoor(door);
    const sameYear = (await this.#held()).filter(({ identity }) => identity.birthYear === birthYear);
    return sameYear.filter(({ identity }) => plainDoor(identity.door) === whole);
  }

  /** The rows of one person. */
  async byIdentity(identity: Identity): Promise<StoreRow[]> {
    return (await this.#held()).filter((row) => sameIdentity(row.identity, identity));
  }

  #held(): Promise<readonly StoreRow[]> {
    this.#compound ??= this.db.getAll("compound").then(
      (rows) => rows.map(asStoreRow),
      (error: unknown) => {
        this.#compound = null;
        throw error;
      },
    );
    return this.#compound;
  }

  // --- passages ----------------------------------------------------------------------------

  /**
   * Write one passage, sealed; durable when this returns.
   *
   * Writes queue one behind the other, and the sequence number is checked again inside the
   * transaction, so a second tab makes this try again and never a gap or a double number.
   */
  record(passage: Omit<Passage, "seq" | "gate">, keys: KeyList, now: number, heldBack = false): Promise<number> {
    const writing = this.#writing.then(() => this.#record(passage, keys, now, heldBack));
    this.#writing = writing.catch(() => undefined);
    return writing;
  }

  async #record(passage: Omit<Passage, "seq" | "gate">, keys: KeyList, now: number, heldBack: boolean): Promise<number> {
    const sealed = (seq: number, { gate, device }: Enrolment, to: PublicKey): Promise<Bytes> => {
      // Before it is on disk, so that no upload sees it there first.
      if (heldBack) this.#heldBack = seq;
      else if (this.#heldBack === seq) this.#heldBack = null;
      return sealPassage({ ...passage, seq, gate }, device, to);
    };
    return this.#append("queue", keys, now, sealed, (row) => row);
  }

  /** Write the row that is held back anew, durably; false, and nothing is written, when it is held back no more. */
  amend(seq: number, passage: Omit<Passage, "seq" | "gate">, keys: KeyList, now: number): Promise<boolean> {
    const writing = this.#writing.then(() => this.#amend(seq, passage, keys, now));
    this.#writing = writing.catch(() => undefined);
    return writing;
  }

  async #amend(seq: number, passage: Omit<Passage, "seq" | "gate">, keys: KeyList, now: number): Promise<boolean> {
    const { gate, device } = await this.#whoAmI();
    const row = await sealPassage({ ...passage, seq, gate }, device, sealingKey(keys, now));
    const tx = this.db.transaction("queue", "readwrite", DURABLE);
    const there = this.#heldBack === seq && (await tx.store.count(seq)) === 1;
    if (there) await tx.store.put(row, seq);
    await tx.done;
    return there;
  }

  /** What was held back may be sent. */
  letGo(): void {
    this.#heldBack = null;
  }

  async #whoAmI(): Promise<Enrolment> {
    const enrolment = await this.enrolment();
    if (enrolment === null) throw new StoreTrouble("not enrolled");
    return enrolment;
  }

  /** Seal under the next number of this order and keep it, durably. */
  async #append<Q extends "queue" | "told">(
    order: Q,
    keys: KeyList,
    now: number,
    sealed: (seq: number, enrolment: Enrolment, to: PublicKey) => Promise<Bytes>,
    kept: (row: Bytes) => Schema[Q]["value"],
  ): Promise<number> {
    const next = NEXT[order];
    const enrolment = await this.#whoAmI();
    const to = sealingKey(keys, now);
    for (;;) {
      const seq = ((await this.db.get("device", next)) as number | undefined) ?? 1;
      const value = kept(await sealed(seq, enrolment, to));
      const tx = this.db.transaction(["device", order], "readwrite", DURABLE);
      if (((await tx.objectStore("device").get(next)) ?? 1) !== seq) {
        tx.abort();
        await tx.done.catch(() => undefined);
        continue;
      }
      await tx.objectStore(order).add(value, seq);
      await tx.objectStore("device").put(seq + 1, next);
      await tx.done;
      return seq;
    }
  }

  /** The highest number that this device ever gave to a row; 0 before the first. It survives every reload. */
  async lastSeq(): Promise<number> {
    return (((await this.db.get("device", NEXT.queue)) as number | undefined) ?? 1) - 1;
  }

  unsent(): Promise<number> {
    return this.db.count("queue");
  }

  /**
   * Since when nothing was sent although something waits: since the row that is now the oldest was first seen to be it.
   * Null when nothing waits. A clock that was set back begins anew.
   */
  async unsentSince(now: number): Promise<number | null> {
    const [seq] = await this.db.getAllKeys("queue", null, 1);
    const before = await this.setting<{ seq: number; since: number }>("oldestUnsent");
    if (seq === undefined) {
      if (before !== null) await this.keepSetting("oldestUnsent", null);
      return null;
    }
    if (before?.seq === seq && before.since <= now) return before.since;
    await this.keepSetting("oldestUnsent", { seq, since: now });
    return now;
  }

  /**
   * The oldest unsent rows without a gap between them, up to the one held back.
   *
   * @param longest rows that are longer stay for later: a server of before refuses a batch with one of them
   */
  async nextBatch(longest: number = Number.POSITIVE_INFINITY): Promise<Batch | null> {
    const most = longest === Number.POSITIVE_INFINITY ? ROWS_PER_BATCH : undefined;
    const may = (row: Bytes, seq: number): boolean => row.length <= longest && (this.#heldBack === null || seq < this.#heldBack);
    for (const { device, fromSeq, rows } of await this.#batches(most)) {
      const from = rows.findIndex((row, i) => may(row, fromSeq + i));
      if (from < 0) continue;
      const end = rows.findIndex((row, i) => i > from && !may(row, fromSeq + i));
      return { device, fromSeq: fromSeq + from, rows: rows.slice(from, end < 0 ? undefined : end) };
    }
    return null;
  }

  /** All unsent rows of this device, in batches; for a file when there is no network at all. */
  allBatches(): Promise<Batch[]> {
    return this.#batches();
  }

  /** The oldest `most` unsent rows, or all. */
  async #batches(most?: number): Promise<Batch[]> {
    const enrolment = await this.enrolment();
    if (enrolment === null) return [];
    const tx = this.db.transaction("queue");
    const [keys, found] = await Promise.all([tx.store.getAllKeys(null, most), tx.store.getAll(null, most)]);
    const batches: { device: Bytes; fromSeq: number; rows: Bytes[] }[] = [];
    let bytes = 0;
    keys.forEach((key, i) => {
      const row = found[i];
      if (row === undefined) return;
      const last = batches.at(-1);
      bytes += row.length;
      if (last === undefined || key !== last.fromSeq + last.rows.length || last.rows.length >= ROWS_PER_BATCH || bytes > BYTES_PER_BATCH) {
        batches.push({ device: enrolment.device, fromSeq: key, rows: [row] });
        bytes = row.length;
      } else last.rows.push(row);
    });
    return batches;
  }

  /**
   * Delete what a receipt covers (G-3); false, and nothing is deleted, when it does not cover the batch.
   */
  async forget(batch: Batch, receipt: Receipt): Promise<boolean> {
    if (!covers(receipt, batch)) return false;
    await this.#forgetRows(batch.fromSeq, batch.rows.length);
    return true;
  }

  /** Delete what a receipt covers that came in a file; how many rows that were. */
  async forgetCovered(receipt: Receipt): Promise<number> {
    const enrolment = await this.enrolment();
    const count = receipt.toSeq - receipt.fromSeq + 1;
    if (enrolment === null || count < 1 || count > MOST_ROWS) return 0;
    const rows = await this.db.getAll("queue", IDBKeyRange.bound(receipt.fromSeq, receipt.toSeq));
    if (!covers(receipt, { device: enrolment.device, fromSeq: receipt.fromSeq, rows })) return 0;
    await this.#forgetRows(receipt.fromSeq, count);
    return count;
  }

  async #forgetRows(fromSeq: number, count: number): Promise<void> {
    const tx = this.db.transaction("queue", "readwrite", DURABLE);
    await tx.store.delete(IDBKeyRange.bound(fromSeq, fromSeq + count - 1));
    await tx.done;
  }

  /** Set rows aside that the server says it holds with other content: they wait for a person. */
  async setAside(seqs: readonly number[]): Promise<void> {
    const tx = this.db.transaction(["queue", "device"], "readwrite", DURABLE);
    const aside = ((await tx.objectStore("device").get("aside")) as [number, Bytes][] | undefined) ?? [];
    for (const seq of seqs) {
      const row = await tx.objectStore("queue").get(seq);
      if (row === undefined) continue;
      aside.push([seq, row]);
      await tx.objectStore("queue").delete(seq);
    }
    await tx.objectStore("device").put(aside, "aside");
    await tx.done;
  }
  async asideCount(): Promise<number> {
    return (((await this.db.get("device", "aside")) as unknown[] | undefined) ?? []).length;
  }

  // --- what is remembered of a pass --------------------------------------------------------

  /** `atHand`: what is newer than the disk. */
  async mark(cti: Bytes, atHand: ReadonlyMap<string, Mark>): Promise<{ key: string; mark: Mark | null }> {
    const enrolment = await this.enrolment();
    if (enrolment === null) throw new StoreTrouble("not enrolled");
    const mac = await crypto.subtle.sign("HMAC", enrolment.markKey, cti);
    const key = hex(new Uint8Array(mac).slice(0, 16));
    return { key, mark: atHand.get(key) ?? (await this.db.get("marks", key)) ?? null };
  }

  async keepMark(key: string, mark: Mark): Promise<void> {
    if (!this.#withdrawn) await this.db.put("marks", mark, key);
  }

  /** Drop what no rule asks for any more, and of too many the oldest. Reads first: writing would keep verdicts waiting for their marks. */
  async dropMarks(now: number, most: number = MOST_MARKS): Promise<void> {
    const { store } = this.db.transaction("marks");
    const [keys, marks] = await Promise.all([store.getAllKeys(), store.getAll()]);
    const all = keys.map((key, i) => ({ key, mark: marks[i] ?? { outs: [], lastAt: 0, lastText: "" } }));
    const needed = all.filter(({ mark }) => isNeeded(mark, now)).sort((a, b) => b.mark.lastAt - a.mark.lastAt);
    const kept = new Set(needed.slice(0, most).map(({ key }) => key));
    const old = keys.filter((key) => !kept.has(key));
    if (old.length === 0) return;
    const tx = this.db.transaction("marks", "readwrite");
    await Promise.all([...old.map((key) => tx.store.delete(key)), tx.done]);
  }

  // --- signals -----------------------------------------------------------------------------

  /** Seal and keep a signal; durable when this returns. */
  signal(signal: Signal, keys: KeyList, now: number): Promise<number> {
    const writing = this.#writing.then(() =>
      this.#append(
        "told",
        keys,
        now,
        (seq, { gate, device }, to) => sealSignal(signal, seq, gate, device, to),
        (row) => ({ at: signal.at, row }),
      ),
    );
    this.#writing = writing.catch(() => undefined);
    return writing;
  }

  /** Seal what an earlier version of this app kept open. */
  async sealOldSignals(keys: KeyList, now: number): Promise<void> {
    for (const key of await this.db.getAllKeys("signals")) {
      const signal = await this.db.get("signals", key);
      if (signal !== undefined) await this.signal(signal, keys, now);
      await this.db.delete("signals", key);
    }
  }

  /** The oldest signals without a gap between them, and how many wait since before `instant`. */
  async signals(instant = 0): Promise<{ batch: Batch | null; waiting: number }> {
    const enrolment = await this.enrolment();
    const [keys, all] = await Promise.all([this.db.getAllKeys("told"), this.db.getAll("told")]);
    const waiting = all.filter(({ at }) => at < instant).length;
    const [fromSeq] = keys;
    if (enrolment === null || fromSeq === undefined) return { batch: null, waiting };
    const rows = all.filter((_, i) => keys[i] === fromSeq + i).map(({ row }) => row);
    return { batch: { device: enrolment.device, fromSeq, rows: rows.slice(0, ROWS_PER_BATCH) }, waiting };
  }

  async forgetSignals(batch: Batch, receipt: Receipt): Promise<boolean> {
    if (!covers(receipt, batch)) return false;
    await this.db.delete("told", IDBKeyRange.bound(batch.fromSeq, batch.fromSeq + batch.rows.length - 1));
    return true;
  }
}

function sealingKey(keys: KeyList, now: number): PublicKey {
  // An expired key list still says whom to seal to: better an old key than a lost row.
  const to = keys.sealingKey(now) ?? keys.sealingKey(keys.issuedAt);
  if (to === null) throw new StoreTrouble("no sealing key");
  return to;
}

function asStoreRow(row: CompoundRow): StoreRow {
  return {
    passNo: row.passNo.startsWith("#") ? null : row.passNo,
    listUri: row.listUri,
    index: row.index,
    kind: row.kind,
    endedAt: row.endedAt ?? null,
    identity: { door: row.door, memberNo: row.memberNo, initials: row.initials, birthYear: row.birthYear },
  };
}

/** The file of unsent rows: the very bodies of uploads, one after the other in a CBOR array. */
export function exportFile(batches: readonly Bytes[]): Bytes {
  return encode([...batches]);
}
