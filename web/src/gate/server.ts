/**
 * The gate's requests (docs/gates.md, "HTTP").
 *
 * Nothing an answer says is believed for its status code: time, lists and receipts are signed,
 * and an answer without its signature is no answer (a captive portal says 200 to everything).
 */

import { type Bytes, base64url, concat, fromBase64url, hex } from "../bytes";
import { CborMap, decode, encode, NotCanonical, type Value } from "../cbor";
import { IAT } from "../pass/claims";
import { sign1 } from "../pass/cose";
import type { KeyList } from "../pass/keylist";
import { acceptTime } from "../pass/passages";
import { Rejected } from "../pass/rejected";
import type { Enrolment } from "./store";

const TOKEN_LIFE = 240;
const MAX_BODY = 16 * 1024 * 1024;

/** No connection, cut, too slow, or somebody else answered. Try again later. */
export class Unreachable extends Error {}

export interface Answer {
  readonly status: number;
  readonly body: Bytes;
  readonly etag: string | null;
  /** The server's signed time; null where it did not come or does not verify. */
  readonly time: number | null;
}

export interface Ask {
  readonly method?: "GET" | "POST";
  readonly body?: Bytes;
  readonly etag?: string | null;
  readonly seconds?: number;
}

export class Server {
  #token: { text: string; until: number } | undefined;

  constructor(
    readonly enrolment: Enrolment,
    readonly clock: () => { readonly device: number; readonly offset: number },
    readonly heard: (serverTime: number, deviceTime: number) => Promise<void>,
  ) {}

  get gatePath(): string {
    return `/api/v1/gates/${uuid(this.enrolment.gate)}`;
  }

  /** @throws Unreachable */
  async ask(path: string, keys: KeyList, { method = "GET", body, etag, seconds = 20 }: Ask = {}): Promise<Answer> {
    for (let attempt = 0; ; attempt++) {
      const headers: Record<string, string> = { Authorization: `LF-Device ${await this.#authorization()}` };
      if (etag) headers["If-None-Match"] = etag;
      if (body) headers["Content-Type"] = "application/cbor";
      const answer = await send(path, { method, headers, ...(body ? { body } : {}) }, seconds, keys);
      if (answer.time !== null) await this.heard(answer.time, this.clock().device);
      // Our clock was off; the signed time has corrected the offset.
      if (answer.status === 401 && answer.time !== null && attempt === 0) {
        this.#token = undefined;
        continue;
      }
      return answer;
    }
  }

  async #authorization(): Promise<string> {
    const { device, offset } = this.clock();
    const now = device + offset;
    if (this.#token === undefined || now >= this.#token.until || now < this.#token.until - TOKEN_LIFE) {
      const claims = new CborMap([
        [2, hex(this.enrolment.device)],
        [3, "LF"],
        [IAT, now],
      ]);
      const token = await sign1([], claims, this.enrolment.deviceKey.privateKey);
      this.#token = { text: base64url(token), until: now + TOKEN_LIFE };
    }
    return this.#token.text;
  }
}

/** @throws Unreachable */
export async function send(path: string, init: RequestInit, seconds: number, keys: KeyList | null): Promise<Answer> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), seconds * 1000);
  try {
    const response = await fetch(path, {
      ...init,
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      signal: stop.signal,
    });
    const body = new Uint8Array(await response.arrayBuffer());
    if (body.length > MAX_BODY) throw new Unreachable("too long");
    return {
      status: response.status,
      body,
      etag: response.headers.get("ETag"),
      time: keys === null ? null : await timeOf(response.headers.get("LF-Time"), keys),
    };
  } catch (error) {
    if (error instanceof Unreachable) throw error;
    throw new Unreachable(error instanceof Error ? error.message : "no connection");
  } finally {
    clearTimeout(timer);
  }
}

async function timeOf(header: string | null, keys: KeyList): Promise<number | null> {
  if (header === null) return null;
  try {
    return await acceptTime(fromBase64url(header), keys);
  } catch {
    return null;
  }
}

/** The map of an answer. @throws Rejected `cbor` */
export function mapOf(body: Bytes): CborMap {
  let value: Value;
  try {
    value = decode(body, MAX_BODY);
  } catch (error) {
    if (error instanceof NotCanonical) throw new Rejected("cbor");
    throw error;
  }
  if (!(value instanceof CborMap)) throw new Rejected("cbor");
  return value;
}

/** The server's signed word that the device is withdrawn, where the answer has one. */
export function withdrawalIn(body: Bytes): Bytes | null {
  try {
    const map = mapOf(body);
    const said = map.get(1) === "device" ? map.get(3) : null;
    return said instanceof Uint8Array ? concat(said) : null;
  } catch {
    return null;
  }
}

/** The code of an error answer, where there is one. */
export function errorCode(body: Bytes): string | null {
  try {
    const code = mapOf(body).get(1);
    return typeof code === "string" ? code : null;
  } catch {
    return null;
  }
}

export function uuid(bytes: Uint8Array): string {
  const text = hex(bytes);
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join("-");
}

export function encodeEnrolment(code: Bytes, deviceKey: CborMap): Bytes {
  return encode(
    new CborMap([
      [1, 1],
      [2, code],
      [3, deviceKey],
    ]),
  );
}

