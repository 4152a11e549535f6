/**
 * The phone's passes: a new QR code every 30 seconds, only while the page is looked at.
 *
 * It begins with the personal pass. With a pass for work beside it one tap shows that one; which was shown is
 * remembered nowhere.
 * It shows no verdict and no colour that could be taken for one: a guard must scan. The page
 * works from the device alone; the network is used to enrol, to renew when less than two days are
 * left, and to fetch what was granted since, once per opening and never in a loop.
 */

import { make } from "../dom";
import { asking, passFor, type Work } from "./due";
import { OWN_PAGE } from "./addresses";
import { moment } from "./moment";
import { draw } from "./qr";
import { type Carried, Holder } from "./store";
import { PASS_CLASSES } from "../pass/tokens";

export interface RotatingCodeData {
  /** Opaque id of the holder; one browser may hold passes of several members of a household. */
  readonly holder: string;
  /** POST {code, key} → {passes}: code of the community worker, COSE_Key and passes as base64url; null: not on this page. */
  readonly enrol: string | null;
  /** POST {proof} → {passes}: proof is a rotating code of this instant. */
  readonly renew: string;
  /** What was granted for this person's phones besides the personal pass. */
  readonly work: readonly Work[];
}

const REDRAW = 30;

const WORDS = {
  zh: {
    next: "秒后更新",
    until: "有效至",
    enrol: "在这台手机上启用通行码",
    code: "社区发的一次性代码",
    start: "启用",
    refused: "代码不对或已过期，请向社区要一个新的",
    offline: "没有网络，请稍后再试；纸质卡和号码照常可用",
    expired: "这个码已过期。联网打开本页会自动续期，也可用新的一次性代码；纸质卡和号码照常可用",
    elsewhere: "联网登录“我的出入证”，用社区发的一次性代码启用",
    unable: "这个浏览器不能生成通行码，请用纸质卡或报通行证号",
    label: "通行码，请卡口扫描",
    which: "出示哪一张",
    home: "回家",
    more: "工作证随这次启用一起到这台手机",
    missing: "工作证还没有取到：",
  },
  en: {
    next: "s to the next code",
    until: "Valid until",
    enrol: "Use the pass on this phone",
    code: "One-time code from the community",
    start: "Begin",
    refused: "The code is wrong or has expired; ask the community for a new one",
    offline: "No network; try later. Card and number go on working",
    expired: "This pass has expired. With network this page renews it, or use a new one-time code; card and number go on working",
    elsewhere: "With network, log in to “My pass” and begin with a one-time code",
    unable: "This browser cannot make the code; use the paper card or the pass number",
    label: "Pass code, to be scanned at the gate",
    which: "Which one to show",
    home: "Home",
    more: "The pass for work comes to this phone with it",
    missing: "The pass for work is not here yet: ",
  },
} as const;

/** @throws: the page's data are not those of this island */
export function parse(data: unknown): RotatingCodeData {
  if (typeof data !== "object" || data === null) throw new Error("no data");
  const record = data as Record<string, unknown>;
  const text = (name: string): string => {
    const value = record[name];
    if (typeof value !== "string" || value === "") throw new Error(`no ${name}`);
    return value;
  };
  const works = record["work"];
  if (!Array.isArray(works)) throw new Error("no work");
  return { holder: text("holder"), enrol: text("enrol"), renew: text("renew"), work: works.map(parseWork) };
}

function parseWork(data: unknown): Work {
  if (typeof data !== "object" || data === null) throw new Error("no work");
  const { kind, zones, marked, until, label } = data as Record<string, unknown>;
  const known = PASS_CLASSES.find((one) => one === kind);
  if (known === undefined || typeof marked !== "boolean" || typeof until !== "number" || typeof label !== "string") throw new Error("no work");
  if (!Array.isArray(zones) || !zones.every((zone) => typeof zone === "string")) throw new Error("no zones");
  return { kind: known, zones, marked, until, label };
}

/** In the language of the page. */
export function wordsOfPage(): (typeof WORDS)["zh"] | (typeof WORDS)["en"] {
  return document.documentElement.lang.startsWith("en") ? WORDS.en : WORDS.zh;
}

export class RotatingCode {
  readonly #canvas = make("canvas", { role: "img" });
  readonly #line = make("p", { class: "lf-number", "aria-live": "off" });
  readonly #trouble = make("p", { role: "status", class: "lf-soft" });
  /** What is shown: a work, or null for home. */
  #work: Work | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  #drawnAt = 0;

  constructor(
    readonly box: HTMLElement,
    readonly holder: Holder,
    readonly data: RotatingCodeData,
    readonly words: (typeof WORDS)["zh"] | (typeof WORDS)["en"],
  ) {}

  begin(): void {
    this.#canvas.setAttribute("aria-label", this.words.label);
    this.#canvas.className = "lf-code";
    document.addEventListener("visibilitychange", () => this.#awake());
    this.#awake();
    void this.#renew();
  }

  #now(): number {
    return Math.floor(Date.now() / 1000);
  }

  /** Nothing is drawn and nothing is signed while nobody looks. */
  #awake(): void {
    clearInterval(this.#timer);
    this.#drawnAt = 0;
    if (!this.box.isConnected) return; // another one is shown in its place
    if (document.hidden) {
      this.#canvas.width = 0;
      return;
    }
    const { carried } = this.holder;
    const home = passFor(carried, null);
    if (home === null) return this.#askToEnrol(this.data.work.length > 0 ? this.words.more : null, "lf-soft");
    // A phone that was off for days: renewal is being tried, and a new one-time code works too.
    if (home.pass.expiresAt <= this.#now()) return this.#askToEnrol(this.words.expired);
    const choices = this.data.work.filter((work) => this.#shownFor(work) !== null);
    if (this.#work !== null && !choices.includes(this.#work)) this.#work = null;
    const shown = this.#shownFor(this.#work) ?? home;
    this.box.replaceChildren(
      ...(choices.length > 0 ? [this.#switch(choices)] : []),
      this.#canvas,
      make("p", { class: "lf-big" }, shown.pass.identity.door),
      this.#line,
      make("p", { class: "lf-soft" }, `${this.words.until} ${moment(shown.pass.expiresAt)}`),
      this.#trouble,
    );
    this.#timer = setInterval(() => void this.#tick(), 1000);
    void this.#tick();
    void navigator.wakeLock?.request("screen").catch(() => undefined);
  }

  /** The pass for this work, or for home, that is here and not over. */
  #shownFor(work: Work | null): Carried | null {
    const found = passFor(this.holder.carried, work);
    return found !== null && found.pass.expiresAt > this.#now() ? found : null;
  }

  /** Home and each work, one tap each. The buttons stay the same ones, so that the keyboard keeps its place. */
  #switch(works: readonly Work[]): HTMLElement {
    const choose = (work: Work | null, label: string): HTMLElement => {
      const button = make("button", { type: "button", "aria-pressed": String(work === this.#work) }, label);
      button.addEventListener("click", () => {
        this.#work = work;
        const place = [...(button.parentElement?.children ?? [])].indexOf(button);
        this.#awake();
        this.box.querySelectorAll<HTMLElement>(".lf-switch button")[place]?.focus();
      });
      return button;
    };
    const all = [choose(null, this.words.home), ...works.map((work) => choose(work, work.label))];
    return make("div", { class: "lf-switch", role: "group", "aria-label": this.words.which }, ...all);
  }

  async #tick(): Promise<void> {
    if (!this.box.isConnected) return this.#awake();
    const now = this.#now();
    if (now - this.#drawnAt >= REDRAW || now < this.#drawnAt) {
      const shown = this.#shownFor(this.#work);
      if (shown === null) return this.#awake();
      this.#drawnAt = now;
      const text = await this.holder.code(shown, now);
      if (text === null) return this.#askToEnrol();
      // Another one was chosen while this one was signed.
      if (this.#shownFor(this.#work)?.bytes !== shown.bytes) return;
      draw(this.#canvas, text);
    }
    this.#line.textContent = `${REDRAW - (now - this.#drawnAt)} ${this.words.next}`;
  }

  #askToEnrol(note: string | null = null, look = "lf-note is-warning"): void {
    const { enrol } = this.data;
    const said = note === null ? [] : [make("p", { class: look }, note)];
    if (enrol === null) {
      this.box.replaceChildren(...said, make("p", {}, make("a", { href: OWN_PAGE, class: "lf-button" }, this.words.elsewhere)));
      return;
    }
    const input = make("input", { name: "code", autocomplete: "one-time-code", autocapitalize: "characters", required: true, id: "rotating-code-once" });
    const trouble = make("p", { role: "alert", class: "lf-error" });
    const form = make(
      "form",
      {},
      make("h2", {}, this.words.enrol),
      make("p", { class: "lf-field" }, make("label", { for: "rotating-code-once" }, this.words.code), input),
      trouble,
      make("button", { class: "lf-button" }, this.words.start),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#enrol(enrol, input.value.trim()).then((why) => {
        if (why === null) this.#awake();
        else trouble.textContent = why;
      });
    });
    this.box.replaceChildren(...said, form);
  }

  async #enrol(address: string, code: string): Promise<string | null> {
    const key = await this.holder.newKey();
    return this.#ask(address, { code, key });
  }

  async #renew(): Promise<void> {
    const why = asking(this.holder.carried, this.data.work, this.#now());
    if (why === null) return;
    // All phones of a district wake at eight; a random wait spreads them. It is short: many look for ten seconds, at the
    // gate. Who was just given a pass for work stands at the desk and does not wait.
    if (why === "renewal") await new Promise((resolve) => setTimeout(resolve, Math.random() * 5_000));
    const home = passFor(this.holder.carried, null);
    const proof = home === null ? null : await this.holder.code(home, this.#now());
    if (proof === null) return;
    const trouble = await this.#ask(this.data.renew, { proof });
    if (trouble === null) this.#awake();
    else if (why === "missing") this.#trouble.textContent = this.words.missing + trouble;
  }

  /** Why it did not work, in the server's words where it gave some; null when the new pass is kept. */
  async #ask(address: string, body: Readonly<Record<string, string>>): Promise<string | null> {
    try {
      const answer = await fetch(address, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRFToken": forgeryToken() },
        body: JSON.stringify(body),
        redirect: "error",
      });
      if (answer.status >= 500) return this.words.offline;
      const content: unknown = await answer.json().catch(() => null);
      const told = (name: string): unknown => (typeof content === "object" && content !== null ? (content as Record<string, unknown>)[name] : null);
      const passes = answer.ok ? told("passes") : null;
      if (!Array.isArray(passes) || !passes.every((token) => typeof token === "string")) {
        const sentence = told("sentence");
        return typeof sentence === "string" ? sentence : this.words.refused;
      }
      await this.holder.keepPasses(passes);
      return null;
    } catch {
      return this.words.offline;
    }
  }
}

/** The token against forged requests: of a form on this page, else of the cookie. */
function forgeryToken(): string {
  const field = document.querySelector<HTMLInputElement>("input[name=csrfmiddlewaretoken]");
  return field?.value ?? /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? "";
}
