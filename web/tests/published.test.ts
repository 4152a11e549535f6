/** The published examples, in the gate's and the reader's own code (sources: vectors/published/README.md). */

import { decode as decodeLoosely } from "cborg";
import { describe, expect, test } from "vitest";
import { fromHex, hex, utf8 } from "../src/bytes";
import { CborMap, decode, NotCanonical, Tag, type Value } from "../src/cbor";
import { ALG, KCWT, KID, read1, toBeSigned, TYP } from "../src/pass/cose";
import { inflate, inflateInScript } from "../src/pass/inflate";
import { PublicKey, verifyInScript } from "../src/pass/keys";
import { Rejected } from "../src/pass/rejected";
import { rowOf } from "../src/pass/statuslist";
import { readToken } from "../src/pass/tokens";
import type { Bytes } from "../src/bytes";
import { vectors } from "./vectors";

type Pair = [string, string];

const keyOf = ([x, y]: Pair): PublicKey => PublicKey.fromPoint(fromHex(`04${x}${y}`));

function partsOf(token: string): [Bytes, Value, Bytes, Bytes] {
  const read = decode(fromHex(token));
  return (read instanceof Tag ? read.value : read) as [Bytes, Value, Bytes, Bytes];
}

/** By WebCrypto and by the script that stands in for it: both, or the test fails. */
async function verified(key: PublicKey, message: Bytes, signature: Bytes): Promise<boolean> {
  const said = await key.verify(message, signature);
  expect(verifyInScript(key.point, message, signature)).toBe(said);
  return said;
}

function signed(token: string, key: PublicKey): Promise<boolean> {
  const [head, , body, signature] = partsOf(token);
  return verified(key, toBeSigned(head, body), signature);
}

function mapOf(bytes: Bytes): CborMap {
  const read = decode(bytes);
  if (!(read instanceof CborMap)) throw new Error("no map");
  return read;
}

type Loose = Map<number | string, unknown>;

/** Claims that are not in the order of their encoding: ours refuses them, another reader gives the values. */
function loosely(bytes: Bytes): Loose {
  expect(() => decode(bytes)).toThrow(NotCanonical);
  return decodeLoosely(bytes, { useMaps: true }) as Loose;
}

const cose = vectors<{
  cases: { name: string; key: Pair; cbor: string; to_sign: string; signed: boolean }[];
  other_algorithms: Record<string, string>;
}>("published/cose.json");

test.each(cose.cases)("$name", async ({ key: pair, cbor, to_sign: toSign, signed: good }) => {
  const key = keyOf(pair);
  if (toSign === "") expect(await signed(cbor, key)).toBe(good);
  else {
    expect(await signed(cbor, key)).toBe(false);
    expect(await verified(key, fromHex(toSign), partsOf(cbor)[3])).toBe(good);
  }
  for (const headers of [[ALG], [ALG, 3], [ALG, KID], []]) expect(() => read1(fromHex(cbor), headers)).toThrow(Rejected);
});

test.each(Object.entries(cose.other_algorithms))("%s is refused", (_, token) => {
  expect(partsOf(token)[2]).toEqual(utf8("This is the content."));
  expect(() => read1(fromHex(token), [ALG])).toThrow(Rejected);
});

describe("token status list", () => {
  const shown = vectors<{
    key: Pair;
    list: string;
    referenced: string;
    list_claims: { sub: string; iat: number; exp: number; ttl: number; bits: number; bytes: string };
    referenced_claims: { idx: number; uri: string };
    two_bits: { cbor: string; entries: number; set: Record<string, number> };
  }>("published/status_list.json");

  test("its two tokens", async () => {
    const key = keyOf(shown.key);
    expect(await signed(shown.list, key)).toBe(true);
    expect(await signed(shown.referenced, key)).toBe(true);
    const said = shown.list_claims;
    const claims = loosely(partsOf(shown.list)[2]);
    expect([2, 6, 4, 65534].map((n) => claims.get(n))).toEqual([said.sub, said.iat, said.exp, said.ttl]);
    const inner = claims.get(65533) as Loose;
    expect(inner.get("bits")).toBe(said.bits);
    expect(hex(await inflate(inner.get("lst") as Bytes))).toBe(said.bytes);
    const status = loosely(partsOf(shown.referenced)[2]).get(65535) as Loose;
    const place = status.get("status_list") as Loose;
    expect([place.get("idx"), place.get("uri")]).toEqual([shown.referenced_claims.idx, shown.referenced_claims.uri]);
  });

  test("every entry of the list of a million", async () => {
    const { cbor, entries, set } = shown.two_bits;
    const lst = loosely(fromHex(cbor)).get("lst") as Bytes;
    const bits = await inflate(lst);
    expect(bits.length * 4).toBe(entries);
    expect(inflateInScript(lst)).toEqual(bits);
    const shard = { uri: "", version: 1, signedAt: 0, bits, ends: new Map<number, number>() };
    const found: Record<string, string> = {};
    for (let index = 0; index < entries; index++) {
      const row = rowOf(shard, index);
      if (row?.status !== "valid") found[index] = String(row?.status);
    }
    const names = ["valid", "invalid", "suspended", "refer"];
    expect(found).toEqual(Object.fromEntries(Object.entries(set).map(([index, value]) => [index, names[value]])));
    expect(rowOf(shard, entries)).toBeNull();
  });
});

test("the token with key binding", async () => {
  const shown = vectors<{
    key: Pair;
    cbor: string;
    headers: number[];
    alg: number;
    typ: string;
    claims: { aud: string; iat: number; cnonce: string };
  }>("published/kbt.json");
  expect(await signed(shown.cbor, keyOf(shown.key))).toBe(true);
  const [head, , body] = partsOf(shown.cbor);
  const read = mapOf(head);
  expect([read.keys(), read.get(ALG), read.get(TYP)]).toEqual([shown.headers, shown.alg, shown.typ]);
  expect((read.get(KCWT) as Tag).number).toBe(18);
  const claims = mapOf(body);
  expect([claims.get(3), claims.get(6), hex(claims.get(39) as Bytes)]).toEqual(Object.values(shown.claims));
  expect(() => readToken(fromHex(shown.cbor))).toThrow(Rejected);
});
