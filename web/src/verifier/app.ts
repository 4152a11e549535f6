/** The verifier's page: three ways in, one answer in plain words. */

import { base64, hex } from "../bytes";
import { Camera, readPicture } from "../camera/camera";
import type { Entry } from "../chain/entry";
import type { Fork } from "../chain/evidence";
import { ends, type Later, type LaterEntry, laterThan } from "../chain/later";
import { called } from "../chain/organs";
import type { Change } from "../chain/policy";
import { make } from "../dom";
import { ForkAlarm } from "../fork_alarm";
import {
  bytesOf,
  type Checked,
  checkFiles,
  checkText,
  codeText,
  failed,
  isTlogProof,
  policyText,
  type ProvedHere,
} from "./check";
import { handed, type Offer, take, type Trust, trusted } from "./policy_file";
import { type Compared, compareSeen, compareSheet, isSheet, otherRoot, type Seen } from "../chain/sheets";
import { day, fieldWords, instant, kindWords, type Language, party, readingWords, say, scopeWords, shown, valueWords, type Word } from "./words";

const LANGUAGE = "lianfang-verifier-language";

export async function start(root: HTMLElement): Promise<void> {
  const page = new Page(root, await trusted());
  page.render();
}

/** The checkpoint of a proof, signed by the log; with its quorum or not, one size has one root. */
function seenOn(result: Checked): { readonly sheet: Seen; readonly origin: string } | null {
  if (result.kind !== "proved") return null;
  const { origin, size, root } = result.proved.checkpoint;
  return { sheet: { size, root: hex(root), signed: true }, origin };
}

/** A file as others wrote it, line by line. */
const whole = (text: string): HTMLElement => make("pre", { class: "v-code lf-scroll", tabindex: "0" }, text.split("\n").map(shown).join("\n"));

const fact = (name: string, value: string): HTMLElement => make("div", {}, make("dt", {}, shown(name)), make("dd", {}, shown(value)));

class Page {
  language: Language = localStorage.getItem(LANGUAGE) === "en" ? "en" : "zh";
  #result: Checked | null = null;
  #sheet: Compared | null = null;
  /** Whether what was compared stood on a proof's paper, not on a board sheet. */
  #paper = false;
  #hint: Word | null = null;
  /** What came after the entry that is shown; null until it was asked. */
  #later: Later | "no_answer" | null = null;
  readonly #alarm = new ForkAlarm(this.language);
  readonly #video = make("video", { playsinline: true, muted: true, "aria-hidden": "true" });
  readonly #camera = new Camera(this.#video, (text) => void this.#check(text));
  readonly #fileInput = make("input", {
    type: "file",
    multiple: true,
    class: "lf-hidden-visually",
    tabindex: "-1",
    "aria-hidden": "true",
  });

  constructor(
    readonly root: HTMLElement,
    public trust: Trust | null,
  ) {
    this.#fileInput.addEventListener("change", () => {
      const files = [...(this.#fileInput.files ?? [])];
      this.#fileInput.value = "";
      void this.#files(files);
    });
    root.addEventListener("dragover", (event) => event.preventDefault());
    root.addEventListener("drop", (event) => {
      event.preventDefault();
      void this.#files([...(event.dataTransfer?.files ?? [])]);
    });
  }

  render(): void {
    document.documentElement.lang = this.language === "zh" ? "zh-Hans" : "en";
    document.title = this.#say("title");
    const main = make(
      "main",
      { class: "v-page" },
      make(
        "div",
        { class: "v-top" },
        make("h1", {}, this.#say("title")),
        make("button", { type: "button", onclick: () => this.#switch() }, this.#say("language")),
      ),
      this.#alarm.in(this.language),
      make("p", { class: "lf-soft" }, this.#say("explain")),
      make("div", { role: "status", "aria-live": "polite" }, this.#answer(), this.#hint && make("p", { class: "lf-note is-warning" }, this.#say(this.#hint))),
      this.#camera.running && make("div", { class: "v-camera" }, this.#video),
      this.#ways(),
      make("p", { class: "lf-soft" }, this.#say("drop")),
      this.#fileInput,
      this.#pasting(),
      this.#trustBox(),
    );
    this.root.replaceChildren(main);
  }

  #say(word: Word, facts: Readonly<Record<string, string | number>> = {}): string {
    return say(word, this.language, facts);
  }

  #switch(): void {
    this.language = this.language === "zh" ? "en" : "zh";
    localStorage.setItem(LANGUAGE, this.language);
    this.render();
  }

  // --- ways in -----------------------------------------------------------------------------

  #ways(): HTMLElement {
    const running = this.#camera.running;
    return make(
      "div",
      { class: "v-ways" },
      make(
        "button",
        { type: "button", onclick: () => void (running ? this.#stop() : this.#scan()) },
        this.#say(running ? "stop" : this.#result === null ? "camera" : "again"),
      ),
      make("button", { type: "button", class: "is-quiet", onclick: () => this.#fileInput.click() }, this.#say("file")),
    );
  }

  #pasting(): HTMLElement {
    const input = make("textarea", { autocomplete: "off", spellcheck: "false", "aria-label": this.#say("paste") });
    return make(
      "details",
      {},
      make("summary", {}, this.#say("paste")),
      input,
      make(
        "div",
        { class: "v-ways" },
        make("button", { type: "button", class: "is-quiet", onclick: () => void this.#check(input.value.trim()) }, this.#say("paste_do")),
      ),
    );
  }

  async #scan(): Promise<void> {
    this.#result = null;
    const trouble = await this.#camera.start();
    this.#hint = trouble === null ? null : `camera_${trouble}`;
    this.render();
  }

  #stop(): void {
    this.#camera.stop();
    this.render();
  }

  async #check(text: string): Promise<void> {
    if (this.trust !== null && isSheet(text)) {
      this.#sheet = await compareSheet(text, this.trust.policy);
      this.#paper = false;
      this.#result = null;
      this.#camera.stop();
      this.#hint = null;
      this.render();
      this.root.querySelector<HTMLElement>(".v-result h2")?.focus();
      return;
    }
    this.#show(this.trust === null ? failed("no_policy") : await checkText(text, this.trust));
  }

  async #files(files: readonly File[]): Promise<void> {
    if (files.length === 0) return;
    if (this.trust === null) return this.#show(failed("no_policy"));
    const contents = await Promise.all(files.map(async (file) => bytesOf(await file.arrayBuffer())));
    const proof = contents.find(isTlogProof);
    if (proof !== undefined) {
      const record = contents.find((content) => content !== proof);
      return this.#show(record === undefined ? failed("needs_record") : await checkFiles(proof, record, this.trust));
    }
    const [file] = files;
    const [content] = contents;
    if (file === undefined || content === undefined) return;
    const list = policyText(content);
    if (list !== null) return this.#handed(list, this.trust);
    const text = codeText(content) ?? (await readPicture(file).catch(() => null));
    if (text === null) {
      this.#result = null;
      this.#hint = "no_code";
      return this.render();
    }
    await this.#check(text);
  }

  async #handed(list: string, trust: Trust): Promise<void> {
    this.trust = await handed(list, trust);
    this.#result = this.#sheet = null;
    this.#hint = this.trust.changedTo === null ? "trust_same" : null;
    this.render();
    this.root.querySelector<HTMLElement>("[role=alert]")?.scrollIntoView();
  }

  #show(result: Checked): void {
    this.#camera.stop();
    this.#result = result;
    this.#later = null;
    this.#sheet = null;
    this.#hint = null;
    const seen = seenOn(result);
    const other = seen === null ? null : otherRoot(seen.sheet, seen.origin);
    if (seen !== null && other !== null) return this.#twoChains({ kind: "fork", sheet: seen.sheet, other, against: "held" });
    this.render();
    this.root.querySelector<HTMLElement>(".v-result h2")?.focus();
    if (result.kind !== "proved" || seen === null) return;
    void this.#meet(result, seen.sheet);
  }

  /** What came since. Only at the reader's wish, for the server learns which record is being looked at. */
  async #ask(result: ProvedHere, entry: Entry): Promise<void> {
    const later = await laterThan(entry, result.under.policy);
    if (this.#result !== result) return;
    this.#later = later ?? "no_answer";
    this.render();
    this.root.querySelector<HTMLElement>("[data-later]")?.focus();
  }

  /** The server is asked after the answer stands: without network the answer must not wait for it. */
  async #meet(result: ProvedHere, sheet: Seen): Promise<void> {
    const found = await compareSeen(sheet, result.under.policy);
    if (found.kind === "fork" && this.#result === result) this.#twoChains(found);
  }

  #twoChains(found: Compared): void {
    this.#result = null;
    this.#sheet = found;
    this.#paper = true;
    this.render();
    this.root.querySelector<HTMLElement>(".v-result h2")?.focus();
  }

  // --- the answer --------------------------------------------------------------------------

  #answer(): HTMLElement | null {
    if (this.#sheet !== null) return this.#compared(this.#sheet);
    if (this.#result === null) return null;
    if (this.#result.kind === "proved") return this.#proved(this.#result);
    if (this.#result.kind === "forked") return this.#forked(this.#result.fork);
    const { why, detail } = this.#result;
    return make(
      "section",
      { class: "v-result lf-note is-error", "data-result": "failed", "data-why": why },
      make("h2", { tabindex: "-1" }, `✕ ${this.#say("not_proved")}`),
      make("p", {}, this.#say(`failed_${why}`)),
      detail !== "" && make("p", { class: "v-code" }, shown(detail)),
    );
  }

  #compared(found: Compared): HTMLElement {
    const look = { consistent: "is-good", fork: "is-error", alone: "", unreadable: "is-error" }[found.kind];
    const mark = { consistent: "✓", fork: "✕", alone: "◐", unreadable: "✕" }[found.kind];
    const facts =
      found.kind === "unreadable"
        ? {}
        : { size: found.sheet.size, newer: found.kind === "consistent" ? found.with : "" };
    const by = found.kind === "consistent" ? found.by.map((name) => party(name, this.language)) : [];
    return make(
      "section",
      { class: `v-result lf-note ${look}`, "data-result": `sheet-${found.kind}` },
      make("h2", { tabindex: "-1" }, `${mark} ${this.#say(`sheet_${found.kind}`)}`),
      ...(found.kind === "fork" ? this.#twoRoots(found) : [make("p", {}, this.#say(`sheet_${found.kind}_why`, facts))]),
      by.length > 0 && make("p", {}, this.#say("sheet_by", { who: by.join(this.language === "zh" ? "、" : ", ") })),
      found.kind === "unreadable" && make("p", { class: "v-code" }, shown(found.detail)),
    );
  }

  #twoRoots({ sheet, other, against }: Extract<Compared, { kind: "fork" }>): HTMLElement[] {
    const what = this.#say(this.#paper ? "fork_paper" : "fork_sheet");
    const root = (name: string, value: string): HTMLElement =>
      make("div", {}, make("dt", {}, name), make("dd", { class: "v-code" }, value));
    return [
      make("p", {}, this.#say(`fork_${against}`, { size: sheet.size, what })),
      ...(sheet.signed ? [] : [make("p", {}, this.#say("fork_typed"))]),
      make("p", {}, make("strong", {}, this.#say("fork_do"))),
      make(
        "dl",
        { class: "lf-facts" },
        root(against === "now" ? this.#say("fork_seen") : this.#say("fork_here", { what }), sheet.root),
        root(this.#say(`fork_there_${against}`), other),
      ),
    ];
  }

  #forked({ smaller, larger }: Fork): HTMLElement {
    const facts = { origin: smaller.origin, smaller: smaller.size, larger: larger.size };
    return make(
      "section",
      { class: "v-result lf-note is-error", "data-result": "evidence" },
      make("h2", { tabindex: "-1" }, `✕ ${this.#say("evidence")}`),
      make("h3", {}, this.#say("what_is")),
      make("ul", {}, make("li", {}, this.#say("evidence_is", facts))),
      make("h3", {}, this.#say("what_not")),
      make("ul", {}, ...(["evidence_not_which", "evidence_not_who"] as const).map((word) => make("li", {}, this.#say(word)))),
      make("p", {}, make("strong", {}, this.#say("evidence_do"))),
      make("dl", { class: "lf-facts" }, ...[smaller, larger].map((c) => make("div", {}, make("dt", {}, this.#say("evidence_at", { size: c.size })), make("dd", { class: "v-code" }, hex(c.root))))),
    );
  }

  #proved(result: ProvedHere): HTMLElement {
    const { proved, signer, under, reading } = result;
    const { language } = this;
    const latest = Math.max(0, ...proved.seen.map(([, at]) => at));
    const { needed } = under.policy.at(proved.checkpoint.size);
    const recorded = proved.entry;
    const entry = recorded?.act ?? null;
    const organ = typeof signer === "object" ? called(signer.organ, language) : (entry?.organ ?? "");
    const replaced = typeof signer === "object" ? signer.replaced : null;
    const facts = { index: proved.index, size: proved.checkpoint.size, time: latest > 0 ? instant(latest, language) : "—" };
    const line = (text: string): HTMLElement => make("li", {}, text);
    const pair = (name: Word, value: string): HTMLElement => fact(this.#say(name), value);
    const head = !proved.quorum
      ? "proved_not_witnessed"
      : signer === "unknown"
        ? "proved_not_whose"
        : replaced !== null
          ? "proved_key_replaced"
          : "proved";
    return make(
      "section",
      { class: `v-result lf-card`, "data-result": head === "proved" ? "proved" : "recorded" },
      make("h2", { tabindex: "-1" }, `${head === "proved" ? "✓" : "◐"} ${this.#say(head)}`),
      make("h3", {}, this.#say("what_is")),
      make(
        "ul",
        {},
        reading !== undefined && line(this.#say("is_read", { number: reading.number, organ: reading.organ, who: reading.pseudonym, time: valueWords(reading.at, language) })),
        line(this.#say("is_recorded", facts)),
        typeof signer === "object" && replaced === null && line(this.#say("is_organ", { organ, index: signer.organ.index })),
        ...proved.seen.map(([name, at]) =>
          line(this.#say("is_seen", { who: party(name, language), time: instant(at, language) })),
        ),
        line(this.#say("is_size", facts)),
        needed !== null && line(this.#say(proved.quorum ? "is_quorum" : "is_no_quorum", { ...needed })),
        under.policy.asksNobody && line(this.#say("is_asks_nobody")),
        proved.quorum && proved.changed !== null && line(this.#say("is_before", this.#changeFacts(proved.changed))),
        under.until !== null && line(this.#say("is_former", { day: day(under.until, language) })),
        proved.disclosed.length > 0 && line(this.#say("is_disclosed")),
      ),
      make("h3", {}, this.#say("what_not")),
      make(
        "ul",
        {},
        ...(reading === undefined
          ? (["not_lawful", "not_in_force", "not_holder"] as const)
          : (["not_read_only", "not_read_right", "not_read_who"] as const)
        ).map((word) => line(this.#say(word))),
        typeof signer === "string" && line(this.#say(`not_organ_${signer}`)),
        replaced !== null && line(this.#say("not_organ_replaced", { organ, index: replaced.index })),
      ),
      recorded !== null && reading === undefined && this.#after(result, recorded),
      reading !== undefined && make("h3", {}, this.#say("reading")),
      reading !== undefined &&
        make(
          "dl",
          { class: "lf-facts" },
          pair("read_fields", reading.fields.map((field) => readingWords(field, language)).join(language === "zh" ? "、" : ", ")),
          pair("read_purpose", readingWords(reading.purpose, language)),
          pair("read_reason", reading.reason === "" ? "—" : reading.reason),
        ),
      entry !== null && make("h3", {}, this.#say("record")),
      entry !== null &&
        make(
          "dl",
          { class: "lf-facts" },
          pair("kind", kindWords(entry.kind, language)),
          pair("organ", organ),
          pair("scope", scopeWords(entry.scope, language)),
          pair("basis", entry.basis),
          pair("issued", instant(entry.issuedAt, language)),
          ...entry.terms.map(([name, value]) => fact(fieldWords(name, language), valueWords(value, language))),
        ),
      proved.disclosed.length > 0 && make("h3", {}, this.#say("disclosed")),
      proved.disclosed.length > 0 &&
        make(
          "dl",
          { class: "lf-facts" },
          ...proved.disclosed.map((d) => fact(fieldWords(d.field, language), valueWords(d.value, language))),
        ),
      make(
        "details",
        {},
        make("summary", {}, this.#say("technical")),
        make("p", { class: "v-code" }, `${shown(proved.checkpoint.origin)} · ${proved.checkpoint.size} · ${base64(proved.checkpoint.root)}`),
      ),
    );
  }

  /** Whether the entry was ended or changed since, as far as that can be known here. */
  #after(result: ProvedHere, entry: Entry): HTMLElement {
    const later = this.#later;
    const asking = make("button", { type: "button", class: "v-open", onclick: () => void this.#ask(result, entry) }, this.#say("later_ask"));
    const parts =
      later === null || later === "no_answer"
        ? [make("p", {}, this.#say(later === null ? "later_unknown" : "later_no_answer")), asking]
        : later.entries.length === 0
          ? [make("p", {}, this.#say("later_none", { size: later.size }))]
          : [make("ul", { class: "lf-note is-warning v-later" }, ...later.entries.map((one) => this.#laterLine(one)))];
    const state = later === null ? "unknown" : later === "no_answer" ? later : String(later.entries.length);
    return make("div", { "data-later": state, tabindex: "-1" }, make("h3", {}, this.#say("later")), ...parts);
  }

  #laterLine({ kind, at, proved, proof }: LaterEntry): HTMLElement {
    const facts = { kind: kindWords(kind, this.language), time: instant(at, this.language), index: proved?.index ?? "" };
    const word = proved === null ? "later_said" : ends(kind) ? "later_ended" : "later_named";
    return make(
      "li",
      {},
      this.#say(word, facts),
      proof !== null && make("button", { type: "button", class: "v-open", onclick: () => void this.#check(proof) }, this.#say("later_open")),
    );
  }

  #changeFacts(change: Change): Readonly<Record<string, string | number>> {
    const named = (name: string): string => (this.language === "zh" ? `${party(name, "zh")}（${name}）` : `${party(name, "en")} (${name})`);
    return { index: change.index, day: day(change.day, this.language), name: named(change.name), before: named(change.before) };
  }

  /** A trust file that differs. From the server it can be taken only when the parties of the pinned one vouch for it. */
  #offered({ text, vouched, byHand }: Offer): HTMLElement {
    return make(
      "div",
      { class: `lf-note ${vouched === null ? "is-error" : "is-warning"}`, role: "alert", "data-offer": vouched === null ? "alone" : "vouched" },
      make("p", {}, this.#say(vouched !== null ? "trust_vouched" : byHand ? "trust_handed" : "trust_changed")),
      vouched !== null && make("ul", {}, ...vouched.map((change) => make("li", {}, this.#say("trust_change", this.#changeFacts(change))))),
      vouched !== null && make("p", {}, this.#say("trust_vouched_do")),
      whole(text),
      (vouched !== null || byHand) &&
        make("div", { class: "v-ways" }, make("button", { type: "button", class: "is-quiet", onclick: () => this.#take(text) }, this.#say("trust_take"))),
    );
  }

  #trustBox(): HTMLElement | null {
    const { trust } = this;
    if (trust === null) return make("p", { class: "lf-note is-warning" }, this.#say("failed_no_policy"));
    const { changedTo } = trust;
    return make(
      "section",
      {},
      changedTo !== null && this.#offered(changedTo),
      trust.organsBroken !== null &&
        make(
          "div",
          { class: "lf-note is-error", role: "alert" },
          make("p", {}, this.#say("organs_broken")),
          whole(trust.organsBroken),
        ),
      make(
        "details",
        {},
        make("summary", {}, this.#say("trust")),
        make("ul", {}, ...trust.policy.witnesses.map((w) => make("li", {}, shown(`${party(w.name, this.language)} · ${w.key.name}`)))),
        whole(trust.text),
        ...trust.earlier.flatMap(({ text, until }) => [
          make("p", {}, this.#say("trust_earlier", { day: day(until ?? "", this.language) })),
          whole(text),
        ]),
        trust.organs !== null && make("p", {}, this.#say("organs", { count: trust.organs.length })),
        trust.organs !== null && whole(trust.organs.map(({ line }) => line).join("\n")),
      ),
    );
  }

  #take(text: string): void {
    take(text, new Date().toISOString().slice(0, 10));
    void trusted().then((trust) => {
      this.trust = trust;
      this.render();
    });
  }
}
