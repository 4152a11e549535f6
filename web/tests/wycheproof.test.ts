import { expect, test } from "vitest";
import { type Bytes, fromHex } from "../src/bytes";
import { verifyEd25519, verifyInScript as ed25519InScript } from "../src/chain/ed25519";
import { PublicKey, verifyInScript } from "../src/pass/keys";
import { vectors } from "./vectors";

type Case = [number: number, message: string, signature: string, result: "valid" | "invalid" | "acceptable"];

test("a pass is signed by what Wycheproof calls valid and by nothing else", async () => {
  const { groups } = vectors<{ groups: { x: string; y: string; cases: Case[] }[] }>("published/wycheproof_p256.json");
  let seen = 0;
  for (const group of groups) {
    const key = PublicKey.fromPoint(fromHex(`04${group.x}${group.y}`));
    for (const [number, message, signature, result] of group.cases) {
      const [m, s] = [fromHex(message) as Bytes, fromHex(signature) as Bytes];
      expect([number, await key.verify(m, s)]).toEqual([number, result === "valid"]);
      expect([number, verifyInScript(key.point, m, s)]).toEqual([number, result === "valid"]);
      seen += 1;
    }
  }
  expect(seen).toBe(262);
});

test("so is a note of the chain", async () => {
  const { groups } = vectors<{ groups: { public: string; cases: Case[] }[] }>("published/wycheproof_ed25519.json");
  let seen = 0;
  for (const group of groups) {
    const key = fromHex(group.public);
    for (const [number, message, signature, result] of group.cases) {
      const [m, s] = [fromHex(message), fromHex(signature)];
      seen += 1;
      // RFC 8032 leaves keys of small order open; engines differ, the script refuses them, and nobody's key is one.
      const ofSmallOrder = number >= 152 && number <= 159;
      if (!ofSmallOrder) expect([number, await verifyEd25519(key, m, s)]).toEqual([number, result !== "invalid"]);
      expect([number, ed25519InScript(key, m, s)]).toEqual([number, result !== "invalid" && !ofSmallOrder]);
    }
  }
  expect(seen).toBe(210);
});
