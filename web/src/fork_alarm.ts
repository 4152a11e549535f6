/**
 * The alarm of a fork in the phone's pass and in the verifier. Their pages come out of the device's own store, so the
 * server's note above every page does not reach them.
 *
 * Nothing waits for it: what was told last stands at once, and the server is asked beside. Without network it says nothing
 * new and no error. It is asked when the page opens and every ten minutes, never more often, as a gate does.
 */

import { chainFile, type Files, forkAtTheParties } from "./chain/alarms";
import { make } from "./dom";

/** When the server answered last (ms), and what. */
const KEPT = "lianfang-fork";
const AGAIN_MS = 600_000;

const WORDS = {
  zh: {
    fork: "信息链警报：记录对不上，见证方已停止签名",
    to_do: "到期和解除照常生效，卡口照常放行，码和卡照常使用；手里的纸质证明请留好。",
    more: "看说明和证据（需联网）",
  },
  en: {
    fork: "Chain alarm: two histories were signed; the witnesses have stopped",
    to_do: "Ends and lifts are in force as always, gates let people through as always, codes and cards go on working; keep the proofs you have on paper.",
    more: "What it means, and the evidence (with network)",
  },
} as const;

/** What the server said last; no fork where it was never asked. */
function kept(): { readonly at: number; readonly fork: boolean } {
  const [at, said] = (localStorage.getItem(KEPT) ?? "0 none").split(" ");
  return { at: Number(at), fork: said === "fork" };
}

/** Whether a fork is known, asking the server where its last answer is ten minutes old. */
export async function forkKnown(now: number, files: Files): Promise<boolean> {
  const { at, fork } = kept();
  if (Math.abs(now - at) < AGAIN_MS) return fork;
  const told = await forkAtTheParties(files);
  if (told === null) return fork;
  localStorage.setItem(KEPT, `${now} ${told ? "fork" : "none"}`);
  return told;
}

/** One place of a page, empty as long as no fork is known. */
export class ForkAlarm {
  readonly #place = make("div");
  #fork = kept().fork;

  constructor(private language: keyof typeof WORDS) {
    this.#draw();
    this.#look();
    setInterval(() => this.#look(), AGAIN_MS);
  }

  /** The place itself, always the same, in this language. */
  in(language: keyof typeof WORDS): HTMLElement {
    if (language !== this.language) {
      this.language = language;
      this.#draw();
    }
    return this.#place;
  }

  #look(): void {
    void forkKnown(Date.now(), chainFile).then((fork) => {
      if (fork === this.#fork) return;
      this.#fork = fork;
      this.#draw();
    });
  }

  #draw(): void {
    const words = WORDS[this.language];
    this.#place.hidden = !this.#fork;
    if (!this.#fork) return this.#place.replaceChildren();
    // In a tab of its own: the code on this page stays where it is.
    const more = make("a", { href: "/open/chain/", target: "_blank", rel: "noopener" }, words.more);
    this.#place.replaceChildren(
      make("div", { class: "lf-note is-error", role: "alert", "data-alarm": "fork" }, make("p", { class: "lf-alarm" }, `⚠ ${words.fork}`), make("p", {}, words.to_do), make("p", {}, more)),
    );
  }
}
