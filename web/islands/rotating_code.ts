/** The phone's passes on the page with the login: begun here, and shown from now on without network too. */

import { make } from "../src/dom";
import { APPLICATION } from "../src/holder/addresses";
import { parse, RotatingCode, wordsOfPage } from "../src/holder/rotating_code";
import { Holder } from "../src/holder/store";
import { keepOffline } from "../src/offline/register";

export async function mount(element: HTMLElement, raw: unknown): Promise<void> {
  const data = parse(raw);
  const words = wordsOfPage();
  const box = make("div", {});
  element.append(box);
  if (globalThis.crypto?.subtle === undefined || !("indexedDB" in globalThis)) {
    box.append(make("p", { class: "lf-note is-warning" }, words.unable));
    return;
  }
  const holder = await Holder.open(data.holder);
  await holder.remember(raw);
  // From now on the code can be shown without network and without a login, under either address.
  void keepOffline(APPLICATION);
  void keepOffline(APPLICATION, new URL("./", location.href).pathname);
  new RotatingCode(box, holder, data, words).begin();
}
