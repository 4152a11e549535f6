/**
 * The application of the phone's pass: what this phone keeps, shown without network and without a login.
 *
 * It shows no verdict and reads no name: a door and initials say whose pass it is where a phone keeps several.
 */

import { make } from "../dom";
import { ForkAlarm } from "../fork_alarm";
import { OWN_PAGE } from "./addresses";
import { passFor } from "./due";
import { parse, RotatingCode, wordsOfPage } from "./rotating_code";
import { slipCards } from "./slips";
import { Holder } from "./store";

const WORDS = {
  zh: {
    title: "出入证",
    which: "出示谁的",
    none: "这台手机还没有通行码。联网登录后打开“我的出入证”启用；纸质卡和号码照常可用。",
    open: "我的出入证（需登录）",
    offline: "没有网络也能出示。快到期时联网打开一次即自动续期。",
    unable: "这个浏览器不能生成通行码，请用纸质卡或报通行证号。",
  },
  en: {
    title: "Pass",
    which: "Whose pass to show",
    none: "There is no pass on this phone yet. Log in with network and open “My pass”; card and number go on working.",
    open: "My pass (with login)",
    offline: "It can be shown without network. Opened with network near its end, it is renewed.",
    unable: "This browser cannot make the code; use the paper card or the pass number.",
  },
} as const;

export async function start(root: HTMLElement): Promise<void> {
  if (!navigator.language.startsWith("zh")) document.documentElement.lang = "en";
  const language = document.documentElement.lang === "en" ? "en" : "zh";
  const words = WORDS[language];
  document.title = words.title;
  const box = make("div", {});
  const alarm = new ForkAlarm(language).in(language);
  root.replaceChildren(make("h1", {}, words.title), box);
  if (globalThis.crypto?.subtle === undefined || !("indexedDB" in globalThis)) {
    box.append(make("p", { class: "lf-note is-warning" }, words.unable), alarm);
    return;
  }
  const holders = (await Holder.all()).filter((holder) => holder.carried.length > 0 || holder.slips.length > 0);
  const [first] = holders;
  const own = make("p", {}, make("a", { href: OWN_PAGE }, words.open));
  if (first === undefined) {
    box.append(make("p", {}, words.none), own, alarm);
    return;
  }
  const place = make("div", {});
  const show = (holder: Holder): void => showOne(place, holder, alarm);
  if (holders.length > 1) box.append(chooser(holders, words.which, show));
  box.append(place, make("p", { class: "lf-soft" }, words.offline), own);
  show(first);
}

/** What of one person this phone keeps. The code of whoever was shown before stops: its place is gone. */
function showOne(place: HTMLElement, holder: Holder, alarm: HTMLElement): void {
  const card = make("section", { class: "lf-card" });
  const shown = holder.carried.length > 0 ? [card] : [];
  const [first, ...others] = [...shown, ...slipCards(holder.slips, Math.floor(Date.now() / 1000))];
  // Below what is held out to the guard, so that nothing moves it away.
  place.replaceChildren(...(first === undefined ? [] : [first]), alarm, ...others);
  if (shown.length === 0) return;
  const { renew, work } = holder.page === undefined ? { renew: `${OWN_PAGE}renew/`, work: [] } : parse(holder.page);
  new RotatingCode(card, holder, { holder: holder.name, enrol: null, renew, work }, wordsOfPage()).begin();
}

function chooser(holders: readonly Holder[], label: string, show: (holder: Holder) => void): HTMLElement {
  const buttons = holders.map((holder, place) => {
    const button = make("button", { type: "button", "aria-pressed": String(place === 0) }, nameOf(holder));
    button.addEventListener("click", () => {
      for (const each of buttons) each.setAttribute("aria-pressed", String(each === button));
      show(holder);
    });
    return button;
  });
  return make("div", { class: "lf-switch", role: "group", "aria-label": label }, ...buttons);
}

function nameOf(holder: Holder): string {
  const carried = passFor(holder.carried, null) ?? holder.carried[0];
  const identity = carried?.pass.identity;
  return identity === undefined ? "…" : `${identity.door} ${identity.initials}`;
}
