/** The verifier's page: three ways in, one answer in plain words. */

import { base64, hex } from "../bytes";
import { Camera, readPicture } from "../camera/camera";
import { called } from "../chain/organs";
import type { Proved } from "../chain/proof";
import { make } from "../dom";
import { bytesOf, type Checked, checkFiles, checkText, codeText, failed, isTlogProof, type Signer } from "./check";
import { take, type Trust, trusted } from "./policy_file";
import { type Compared, compareSeen, compareSheet, isSheet, otherRoot, type Seen } from "../chain/sheets";
import { fieldWords, instant, kindWords, type Language, party, say, scopeWords, valueWords, type Word } from "./words";

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

class Page {
  language: Language = localStorage.getItem(LANGUAGE) === "en" ? "en" : "zh";
  #result: Checked | null = null;
  #sheet: Compared | null = null;
  /** Whether what was compared stood on a proof's paper, not on a board sheet. */
  #paper = false;
  #hint: Word | null = null;
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
    this.#fileInput.addEventListener("change", () => void this.#files());
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
      make("p", { class: "lf-soft" }, this.#say("explain")),
      make("div", { role: "status", "aria-live": "polite" }, this.#answer(), this.#hint && make("p", { class: "lf-note is-warning" }, this.#say(this.#hint))),
      this.#camera.running && make("div", { class: "v-camera" }, this.#video),
      this.#ways(),
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

  async #files(): Promise<void> {
    const files = [...(this.#fileInput.files ?? [])];
    this.#fileInput.value = "";
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
    const text = codeText(content) ?? (await readPicture(file).catch(() => null));
    if (text === null) {
      this.#result = null;
      this.#hint = "no_code";
      return this.render();
    }
    await this.#check(text);
  }

  #show(result: Checked): void {
    this.#camera.stop();
    this.#result = result;
    this.#sheet = null;
    this.#hint = null;
    const seen = seenOn(result);
    const other = seen === null ? null : otherRoot(seen.sheet, seen.origin);
    if (seen !== null && other !== null) return this.#twoChains({ kind: "fork", sheet: seen.sheet, other });
    this.render();
    this.root.querySelector<HTMLElement>(".v-result h2")?.focus();
    if (seen !== null) void this.#meet(result, seen.sheet);
  }

  /** The server is asked after the answer stands: without network the answer must not wait for it. */
  async #meet(result: Checked, sheet: Seen): Promise<void> {
    if (this.trust === null) return;
    const found = await compareSeen(sheet, this.trust.policy);
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
    if (this.#result.kind === "proved") return this.#proved(this.#result.proved, this.#result.signer);
    const { why, detail } = this.#result;
    return make(
      "section",
      { class: "v-result lf-note is-error", "data-result": "failed", "data-why": why },
      make("h2", { tabindex: "-1" }, `✕ ${this.#say("not_proved")}`),
      make("p", {}, this.#say(`failed_${why}`)),
      detail !== "" && make("p", { class: "v-code" }, detail),
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
      make("p", {}, this.#say(found.kind === "fork" && this.#paper ? "paper_fork_why" : `sheet_${found.kind}_why`, facts)),
      by.length > 0 && make("p", {}, this.#say("sheet_by", { who: by.join(this.language === "zh" ? "、" : ", ") })),
      found.kind === "fork" && make("p", { class: "v-code" }, `${found.sheet.size} · ${found.sheet.root} ≠ ${found.other}`),
      found.kind === "unreadable" && make("p", { class: "v-code" }, found.detail),
    );
  }

  #proved(proved: Proved, signer: Signer): HTMLElement {
    const { language } = this;
    const latest = Math.max(0, ...proved.seen.map(([, at]) => at));
    const needed = this.trust?.policy.needed ?? null;
    const entry = proved.entry?.act ?? null;
    const facts = { index: proved.index, size: proved.checkpoint.size, time: latest > 0 ? instant(latest, language) : "—" };
    const line = (text: string): HTMLElement => make("li", {}, text);
    const pair = (name: Word, value: string): HTMLElement =>
      make("div", {}, make("dt", {}, this.#say(name)), make("dd", {}, value));
    const head = !proved.quorum ? "proved_not_witnessed" : signer === "unknown" ? "proved_not_whose" : "proved";
    return make(
      "section",
      { class: `v-result lf-card`, "data-result": head === "proved" ? "proved" : "recorded" },
      make("h2", { tabindex: "-1" }, `${head === "proved" ? "✓" : "◐"} ${this.#say(head)}`),
      make("h3", {}, this.#say("what_is")),
      make(
        "ul",
        {},
        line(this.#say("is_recorded", facts)),
        typeof signer === "object" && line(this.#say("is_organ", { organ: called(signer, language), index: signer.index })),
        ...proved.seen.map(([name, at]) =>
          line(this.#say("is_seen", { who: party(name, language), time: instant(at, language) })),
        ),
        line(this.#say("is_size", facts)),
        needed !== null && line(this.#say(proved.quorum ? "is_quorum" : "is_no_quorum", { ...needed })),
        proved.disclosed.length > 0 && line(this.#say("is_disclosed")),
      ),
      make("h3", {}, this.#say("what_not")),
      make(
        "ul",
        {},
        ...(["not_lawful", "not_in_force", "not_holder"] as const).map((word) => line(this.#say(word))),
        typeof signer === "string" && line(this.#say(`not_organ_${signer}`)),
      ),
      entry !== null && make("h3", {}, this.#say("record")),
      entry !== null &&
        make(
          "dl",
          { class: "lf-facts" },
          pair("kind", kindWords(entry.kind, language)),
          pair("organ", typeof signer === "object" ? called(signer, language) : entry.organ),
          pair("scope", scopeWords(entry.scope, language)),
          pair("basis", entry.basis),
          pair("issued", instant(entry.issuedAt, language)),
          ...entry.terms.map(([name, value]) => make("div", {}, make("dt", {}, fieldWords(name, language)), make("dd", {}, valueWords(value, language)))),
        ),
      proved.disclosed.length > 0 && make("h3", {}, this.#say("disclosed")),
      proved.disclosed.length > 0 &&
        make(
          "dl",
          { class: "lf-facts" },
          ...proved.disclosed.map((d) => make("div", {}, make("dt", {}, fieldWords(d.field, language)), make("dd", {}, valueWords(d.value, language)))),
        ),
      make(
        "details",
        {},
        make("summary", {}, this.#say("technical")),
        make("p", { class: "v-code" }, `${proved.checkpoint.origin} · ${proved.checkpoint.size} · ${base64(proved.checkpoint.root)}`),
      ),
    );
  }

  #trustBox(): HTMLElement | null {
    const { trust } = this;
    if (trust === null) return make("p", { class: "lf-note is-warning" }, this.#say("failed_no_policy"));
    const { changedTo } = trust;
    return make(
      "section",
      {},
      changedTo !== null &&
        make(
          "div",
          { class: "lf-note is-error", role: "alert" },
          make("p", {}, this.#say("trust_changed")),
          make("pre", { class: "v-code lf-scroll", tabindex: "0" }, changedTo),
          make("div", { class: "v-ways" }, make("button", { type: "button", class: "is-quiet", onclick: () => this.#take(changedTo) }, this.#say("trust_take"))),
        ),
      trust.organsBroken !== null &&
        make(
          "div",
          { class: "lf-note is-error", role: "alert" },
          make("p", {}, this.#say("organs_broken")),
          make("pre", { class: "v-code lf-scroll", tabindex: "0" }, trust.organsBroken),
        ),
      make(
        "details",
        {},
        make("summary", {}, this.#say("trust")),
        make("ul", {}, ...trust.policy.witnesses.map((w) => make("li", {}, `${party(w.name, this.language)} · ${w.key.name}`))),
        make("pre", { class: "v-code lf-scroll", tabindex: "0" }, trust.text),
        trust.organs !== null && make("p", {}, this.#say("organs", { count: trust.organs.length })),
        trust.organs !== null &&
          make("pre", { class: "v-code lf-scroll", tabindex: "0" }, trust.organs.map(({ line }) => line).join("\n")),
      ),
    );
  }

  #take(text: string): void {
    take(text);
    void trusted().then((trust) => {
      this.trust = trust;
      this.render();
    });
  }
}
