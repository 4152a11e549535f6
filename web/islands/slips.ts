/** The slips of the own orders: shown on the page, and kept on this phone for the gate without network. */

import { APPLICATION } from "../src/holder/addresses";
import { slipCards } from "../src/holder/slips";
import { Holder } from "../src/holder/store";
import { keepOffline } from "../src/offline/register";

export async function mount(element: HTMLElement, data: unknown): Promise<void> {
  const { holder, slips } = data as { holder: unknown; slips: unknown };
  if (typeof holder !== "string" || !Array.isArray(slips) || !slips.every((slip) => typeof slip === "string")) throw new Error("no slips");
  element.append(...slipCards(slips, Math.floor(Date.now() / 1000)));
  if (!("indexedDB" in globalThis)) return;
  await (await Holder.open(holder)).keepSlips(slips);
  void keepOffline(APPLICATION);
}
