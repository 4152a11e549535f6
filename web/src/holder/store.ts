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
  readonly keys: CryptoKeyPair;
  readonly pass: Bytes | null;
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
    const keys = (await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"])) as CryptoKeyPair;
    await this.#keep({ keys, pass: null });
    const point = new Uint8Array(await crypto.subtle.exportKey("raw", keys.publicKey));
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
    if (this.held === null) throw new Error("no key");
    const bytes = fromBase64url(token);
    const read = readToken(bytes);
    if (read.what !== "pass" || read.pass.holderKey === null) throw new Error("no phone pass");
    const ours = new Uint8Array(await crypto.subtle.exportKey("raw", this.held.keys.publicKey));
    if (base64url(ours) !== base64url(read.pass.holderKey.point)) throw new Error("a pass for another key");
    await this.#keep({ keys: this.held.keys, pass: bytes });
  }

  /** The text of the code for this instant, or null without a pass. */
  async code(now: number): Promise<string | null> {
    if (this.held === null || this.held.pass === null) return null;
    return toText(await signCode(this.held.pass, now, this.held.keys.privateKey));
  }

  async forget(): Promise<void> {
    await this.db.delete("holders", this.name);
    this.held = null;
  }

  async #keep(held: Held): Promise<void> {
    const tx = this.db.transaction("holders", "readwrite", { durability: "strict" });
    await tx.store.put(held, this.name);
    await tx.done;
    this.held = held;
  }
}
