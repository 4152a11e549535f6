/**
 * The holder's side of phone passes: one key, the passes bound to it, and what is done with them.
 *
 * The private key is made by the browser as not extractable and stays in IndexedDB: a copy of
 * the page, a screenshot or a backup of the storage does not carry it. A browser that forgets
 * its storage (some do after a week unused) needs a new one-time code; card and number go on
 * working meanwhile.
 */

import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import { type Bytes, base64url, fromBase64url } from "../bytes";
import { CborMap, encode } from "../cbor";
import { toText } from "../pass/base45";
import { type Pass, readToken, signCode } from "../pass/tokens";

interface Kept {
  readonly keys: CryptoKeyPair | null;
  readonly passes: readonly Bytes[];
  /** Made for an enrolment that was not answered yet; the passes in use stay usable meanwhile. */
  readonly pending: CryptoKeyPair | null;
  /** What the page with a login was told last, for the one without network. */
  readonly page?: unknown;
  /** The texts of the slips of this person's orders, as they are printed on the notices. */
  readonly slips?: readonly string[];
}

/** As the page kept it before a phone could carry more than one. */
interface KeptBefore {
  readonly keys: CryptoKeyPair | null;
  readonly pass: Bytes | null;
  readonly pending: CryptoKeyPair | null;
}

interface Schema extends DBSchema {
  holders: { key: string; value: Kept | KeptBefore };
}

/** A pass that the phone carries, read, with the bytes that its code is made of. */
export interface Carried {
  readonly pass: Pass;
  readonly bytes: Bytes;
}

export class Holder {
  private constructor(
    readonly db: IDBPDatabase<Schema>,
    readonly name: string,
    private kept: Kept,
  ) {}

  /** Of whom this phone keeps anything. */
  static async all(database: string = "lianfang-holder"): Promise<readonly Holder[]> {
    const { db } = await Holder.open("", database);
    return Promise.all((await db.getAllKeys("holders")).map((name) => Holder.open(name, database)));
  }

  static async open(name: string, database: string = "lianfang-holder"): Promise<Holder> {
    const db = await openDB<Schema>(database, 1, { upgrade: (fresh) => void fresh.createObjectStore("holders") });
    const found = await db.get("holders", name);
    if (found === undefined) return new Holder(db, name, { keys: null, passes: [], pending: null });
    const passes = "passes" in found ? found.passes : found.pass === null ? [] : [found.pass];
    return new Holder(db, name, { ...("page" in found ? { page: found.page } : {}), ...("slips" in found ? { slips: found.slips } : {}), keys: found.keys, passes, pending: found.pending });
  }

  /** What the phone carries, the personal pass first. */
  get carried(): readonly Carried[] {
    return this.kept.passes.flatMap((bytes) => {
      const read = readToken(bytes);
      return read.what === "pass" ? [{ pass: read.pass, bytes }] : [];
    });
  }

  /** A fresh key for enrolment; its COSE_Key as base64url. It is on disk before it is sent anywhere. */
  async newKey(): Promise<string> {
    const pending = (await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"])) as CryptoKeyPair;
    await this.#keep({ ...this.kept, pending });
    const point = await pointOf(pending);
    return base64url(
      encode(
        new CborMap([
          [1, 2],
          [-1, 1],
          [-2, point.slice(1, 33)],
          [-3, point.slice(33)],
        ]),
      ),
    );
  }

  /** Keep what the server made for one of our keys, in the place of all before. @throws: none, no pass, or for another key */
  async keepPasses(tokens: readonly string[]): Promise<void> {
    const passes = tokens.map(fromBase64url);
    const wanted = new Set(
      passes.map((bytes) => {
        const read = readToken(bytes);
        if (read.what !== "pass" || read.pass.holderKey === null) throw new Error("no phone pass");
        return base64url(read.pass.holderKey.point);
      }),
    );
    for (const keys of [this.kept.pending, this.kept.keys]) {
      if (keys !== null && wanted.size === 1 && wanted.has(base64url(await pointOf(keys)))) {
        return this.#keep({ ...this.kept, keys, passes, pending: null });
      }
    }
    throw new Error("a pass for another key");
  }

  get page(): unknown {
    return this.kept.page;
  }

  get slips(): readonly string[] {
    return this.kept.slips ?? [];
  }

  /** Keep what the page with a login knows, so that the code can be shown without it. */
  remember(page: unknown): Promise<void> {
    return this.#keep({ ...this.kept, page });
  }

  /** Keep the slips that stand on the notices now, in the place of all before. */
  keepSlips(slips: readonly string[]): Promise<void> {
    return this.#keep({ ...this.kept, slips });
  }

  /** The text of the code of this pass for this instant, or null without a key. */
  async code(carried: Carried, now: number): Promise<string | null> {
    const { keys } = this.kept;
    return keys === null ? null : toText(await signCode(carried.bytes, now, keys.privateKey));
  }

  async #keep(kept: Kept): Promise<void> {
    const tx = this.db.transaction("holders", "readwrite", { durability: "strict" });
    await tx.store.put(kept, this.name);
    await tx.done;
    this.kept = kept;
  }
}

async function pointOf(keys: CryptoKeyPair): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.exportKey("raw", keys.publicKey));
}
