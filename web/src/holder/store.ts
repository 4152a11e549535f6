/**
 * The holder's side of a phone pass: key, pass, and what is done with them.
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

interface Held {
  readonly keys: CryptoKeyPair | null;
  readonly pass: Bytes | null;
  /** Made for an enrolment that was not answered yet; the pass in use stays usable meanwhile. */
  readonly pending: CryptoKeyPair | null;
}

interface Schema extends DBSchema {
  holders: { key: string; value: Held };
}

/** A pass with less than this left is renewed; passes live three days. */
const RENEW_BELOW = 2 * 86_400;

export class Holder {
  private constructor(
    readonly db: IDBPDatabase<Schema>,
    readonly name: string,
    private held: Held | null,
  ) {}

  static async open(name: string, database: string = "lianfang-holder"): Promise<Holder> {
    const db = await openDB<Schema>(database, 1, { upgrade: (fresh) => void fresh.createObjectStore("holders") });
    return new Holder(db, name, (await db.get("holders", name)) ?? null);
  }

  get pass(): Pass | null {
    if (this.held === null || this.held.pass === null) return null;
    const read = readToken(this.held.pass);
    return read.what === "pass" ? read.pass : null;
  }

  needsRenewal(now: number): boolean {
    const { pass } = this;
    return pass !== null && pass.expiresAt - now < RENEW_BELOW;
  }

  /** A fresh key for enrolment; its COSE_Key as base64url. It is on disk before it is sent anywhere. */
  async newKey(): Promise<string> {
    const pending = (await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"])) as CryptoKeyPair;
    await this.#keep({ keys: this.held?.keys ?? null, pass: this.held?.pass ?? null, pending });
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

  /** Keep a pass the server made for our key. @throws: it is no pass, or for another key */
  async keepPass(token: string): Promise<void> {
    const bytes = fromBase64url(token);
    const read = readToken(bytes);
    if (read.what !== "pass" || read.pass.holderKey === null) throw new Error("no phone pass");
    const wanted = base64url(read.pass.holderKey.point);
    for (const keys of [this.held?.pending ?? null, this.held?.keys ?? null]) {
      if (keys !== null && base64url(await pointOf(keys)) === wanted) {
        return this.#keep({ keys, pass: bytes, pending: null });
      }
    }
    throw new Error("a pass for another key");
  }

  /** The text of the code for this instant, or null without a pass. */
  async code(now: number): Promise<string | null> {
    const keys = this.held?.keys ?? null;
    const pass = this.held?.pass ?? null;
    return keys === null || pass === null ? null : toText(await signCode(pass, now, keys.privateKey));
  }

  async #keep(held: Held): Promise<void> {
    const tx = this.db.transaction("holders", "readwrite", { durability: "strict" });
    await tx.store.put(held, this.name);
    await tx.done;
    this.held = held;
  }
}

async function pointOf(keys: CryptoKeyPair): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.exportKey("raw", keys.publicKey));
}
