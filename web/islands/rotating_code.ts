/**
 * The phone's pass: a new QR code every 30 seconds, only while the page is looked at.
 *
 * It shows no verdict and no colour that could be taken for one: a guard must scan. The page
 * works from the device alone; the network is used to enrol and, when less than two days are
 * left, to renew, once per opening and never in a loop.
 */

import qrcode from "qrcode-generator";
import { Holder } from "../src/holder/store";
import { make } from "../src/dom";

export interface RotatingCodeData {
  /** Opaque id of the holder; one browser may hold passes of several members of a household. */
  readonly holder: string;
  /** POST {code, key} → {pass}: code of the community worker, COSE_Key and pass as base64url. */
  readonly enrol: string;
  /** POST {proof} → {pass}: proof is a rotating code of this instant. */
  readonly renew: string;
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
    unable: "这个浏览器不能生成通行码，请用纸质卡或报通行证号",
    label: "通行码，请卡口扫描",
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
    unable: "This browser cannot make the code; use the paper card or the pass number",
    label: "Pass code, to be scanned at the gate",
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
  return { holder: text("holder"), enrol: text("enrol"), renew: text("renew") };
}

export async function mount(element: HTMLElement, raw: unknown): Promise<void> {
  const data = parse(raw);
  const words = document.documentElement.lang.startsWith("en") ? WORDS.en : WORDS.zh;
  const box = make("div", {});
  element.append(box);
  if (globalThis.crypto?.subtle === undefined || !("indexedDB" in globalThis)) {
    box.append(make("p", { class: "lf-note is-warning" }, words.unable));
    return;
  }
  const holder = await Holder.open(data.holder);
  new RotatingCode(box, holder, data, words).begin();
}

class RotatingCode {
  readonly #canvas = make("canvas", { role: "img" });
  readonly #line = make("p", { class: "lf-number", "aria-live": "off" });
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
    if (document.hidden) {
      this.#canvas.width = 0;
      return;
    }
    const { pass } = this.holder;
    if (pass === null) return this.#askToEnrol();
    // A phone that was off for days: renewal is being tried, and a new one-time code works too.
    if (pass.expiresAt <= this.#now()) return this.#askToEnrol(this.words.expired);
    const until = new Intl.DateTimeFormat(document.documentElement.lang || "zh", {
      timeZone: "Asia/Shanghai",
      dateStyle: "medium",
      timeStyle: "short",
    }).format(pass.expiresAt * 1000);
    this.box.replaceChildren(
      this.#canvas,
      make("p", { class: "lf-big" }, pass.identity.door),
      this.#line,
      make("p", { class: "lf-soft" }, `${this.words.until} ${until}`),
    );
    this.#timer = setInterval(() => void this.#tick(), 1000);
    void this.#tick();
    void navigator.wakeLock?.request("screen").catch(() => undefined);
  }

  async #tick(): Promise<void> {
    const now = this.#now();
    if (now - this.#drawnAt >= REDRAW || now < this.#drawnAt) {
      this.#drawnAt = now;
      const text = await this.holder.code(now);
      if (text === null) return this.#awake();
      draw(this.#canvas, text);
    }
    this.#line.textContent = `${REDRAW - (now - this.#drawnAt)} ${this.words.next}`;
  }

  #askToEnrol(note: string | null = null): void {
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
      void this.#enrol(input.value.trim()).then((why) => {
        if (why === null) this.#awake();
        else trouble.textContent = why;
      });
    });
    this.box.replaceChildren(...(note === null ? [] : [make("p", { class: "lf-note is-warning" }, note)]), form);
  }

  async #enrol(code: string): Promise<string | null> {
    const key = await this.holder.newKey();
    return this.#ask(this.data.enrol, { code, key });
  }

  async #renew(): Promise<void> {
    const now = this.#now();
    if (!this.holder.needsRenewal(now)) return;
    const proof = await this.holder.code(now);
    if (proof === null) return;
    // All phones of a district wake at eight; a random wait spreads them over a minute.
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 60_000));
    if ((await this.#ask(this.data.renew, { proof: (await this.holder.code(this.#now())) ?? proof })) === null) this.#awake();
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
      const told = (name: string): string | null => {
        const value = typeof content === "object" && content !== null ? (content as Record<string, unknown>)[name] : null;
        return typeof value === "string" ? value : null;
      };
      const token = answer.ok ? told("pass") : null;
      if (token === null) return told("sentence") ?? this.words.refused;
      await this.holder.keepPass(token);
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

/** Black on white, whole pixels per module, a quiet zone of four. */
export function draw(canvas: HTMLCanvasElement, text: string): void {
  const code = qrcode(0, "L");
  code.addData(text, "Alphanumeric");
  code.make();
  const count = code.getModuleCount() + 8;
  const scale = Math.max(4, Math.floor(1000 / count));
  canvas.width = canvas.height = count * scale;
  const brush = canvas.getContext("2d");
  if (brush === null) return;
  brush.fillStyle = "#ffffff";
  brush.fillRect(0, 0, canvas.width, canvas.height);
  brush.fillStyle = "#000000";
  for (let row = 0; row < count - 8; row++) {
    for (let column = 0; column < count - 8; column++) {
      if (code.isDark(row, column)) brush.fillRect((column + 4) * scale, (row + 4) * scale, scale, scale);
    }
  }
}
