/** The slips of a person's orders on the phone, as codes: what the printed notice carries, where the paper is lost. */

import { make } from "../dom";
import { fromText } from "../pass/base45";
import { readToken, type Slip } from "../pass/tokens";
import { moment } from "./moment";
import { draw } from "./qr";

const WORDS = {
  zh: {
    R: "解除凭条",
    L: "提前解除凭条",
    O: "隔离决定凭条",
    R_says: "从这时起凭它出门，不需要任何人批准：",
    L_says: "从这时起凭它出门：",
    O_says: "没有网络的卡口扫它就知道到几时：",
    show: "显示二维码",
    order: "编号",
  },
  en: {
    R: "Release slip",
    L: "Slip of an early end",
    O: "Slip of the order",
    R_says: "From then on it opens the gate, nobody has to allow it: ",
    L_says: "From then on it opens the gate: ",
    O_says: "A gate without network reads from it until when: ",
    show: "Show the code",
    order: "No.",
  },
} as const;

/** A card for each slip that still counts, what frees first. @param now epoch seconds */
export function slipCards(texts: readonly string[], now: number): HTMLElement[] {
  const words = document.documentElement.lang.startsWith("en") ? WORDS.en : WORDS.zh;
  const read = texts.flatMap((text) => {
    const slip = slipOf(text);
    return slip === null || slip.expiresAt <= now ? [] : [{ text, slip }];
  });
  const rank = { L: 0, R: 1, O: 2 };
  return read
    .sort((one, other) => rank[one.slip.kind] - rank[other.slip.kind] || other.slip.end - one.slip.end)
    .map(({ text, slip }) => card(text, slip, words));
}

function slipOf(text: string): Slip | null {
  try {
    const read = readToken(fromText(text));
    return read.what === "slip" ? read.slip : null;
  } catch {
    return null;
  }
}

function card(text: string, slip: Slip, words: (typeof WORDS)["zh"] | (typeof WORDS)["en"]): HTMLElement {
  const canvas = make("canvas", { role: "img", class: "lf-code", "aria-label": words[slip.kind] });
  const button = make("button", { type: "button", class: "lf-button is-quiet" }, words.show);
  button.addEventListener("click", () => {
    draw(canvas, text);
    button.replaceWith(canvas);
  });
  const at = moment(slip.kind === "O" ? slip.end : slip.notBefore);
  return make(
    "section",
    { class: "lf-card" },
    make("h2", {}, words[slip.kind]),
    make("p", {}, words[`${slip.kind}_says`], make("strong", {}, at)),
    make("p", { class: "lf-soft" }, `${slip.identity.door} ${slip.identity.initials} · ${words.order} ${slip.orderNo}`),
    button,
  );
}
