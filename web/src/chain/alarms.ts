/** What the server's board says of a fork (docs/chain.md, "Trouble"), for the applications that are not drawn by it. */

import type { Bytes } from "../bytes";

/** Reads a file of the chain by its path; null without network. */
export type Files = (path: string) => Promise<Bytes | null>;

/**
 * Whether a witness has evidence of a fork; null where the board did not say. It is shown and changes no verdict and no
 * proof, so it is believed without a signature.
 */
export async function forkAtTheParties(files: Files): Promise<boolean | null> {
  const file = await files("alarms.json");
  if (file === null) return null;
  try {
    const alarms: unknown = JSON.parse(new TextDecoder().decode(file));
    return Array.isArray(alarms) ? alarms.some((one: unknown) => typeof one === "object" && one !== null && "code" in one && one.code === "fork") : null;
  } catch {
    return null; // a captive portal
  }
}

/** A file of the chain from the application's own server; null without network. */
export async function chainFile(path: string): Promise<Bytes | null> {
  try {
    const answer = await fetch(`/open/chain/${path}`, { cache: "no-store", credentials: "omit", redirect: "error" });
    return answer.ok ? (new Uint8Array(await answer.arrayBuffer()) as Bytes) : null;
  } catch {
    return null;
  }
}
