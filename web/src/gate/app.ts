/** The gate's one screen: puts post, camera, scanner, network and dialogs together. */

import { hex } from "../bytes";
import { Camera, prepareReader } from "../camera/camera";
import { SHEET_PREFIX } from "../chain/proof";
import { make } from "../dom";
import { timeUsed } from "../pass/clock";
import { encodeBatch } from "../pass/passages";
import type { StoreRow } from "../pass/scan";
import { ask, field, menu } from "./dialogs";
import { enrolPage } from "./enrol_page";
import { readInvitation } from "./enrol";
import { admit } from "./guards";
import { handover } from "./handover";
import { ALREADY_SHOWN_SECONDS } from "./marks";
import { Post } from "./post";
import { allowSound, play } from "./sound";
import { type Enrolment, exportFile, GateStore, type Shift } from "./store";
import { Sync } from "./sync";
import { offerMeasure, recordedWords, verdictView } from "./verdict_view";
import { listenForScanner } from "./wedge";
import { duration, type Language, say, type Word } from "./words";

const DAY = 86_400;

/** Whole seconds of the device's own clock. */
function deviceTime(): number {
  return Math.floor(Date.now() / 1000);
}

export async function start(root: HTMLElement): Promise<void> {
  const store = await GateStore.open();
  await store.dropOldHandover();
  const language = (await store.setting<Language>("language")) ?? "zh";
  const invitation = readInvitation(location.href);
  // A second enrolment link opened in this tab changes the fragment only.
  addEventListener("hashchange", () => location.reload());
  const enrolment = await store.enrolment();
  if (invitation !== null || enrolment === null) {
    enrolPage(root, store, language, invitation, enrolment !== null);
    return;
  }
  const app = await App.open(root, store, enrolment, language);
  app.begin();
}

class App {
  readonly #facts = make("ul", { class: "g-facts" });
  readonly #topExit = make("button", { type: "button", class: "g-small", onclick: () => this.#guarded(this.post.lifeExit()) });
  readonly #inward = make("button", { type: "button", onclick: () => this.#guarded(this.post.setDirection(true)) });
  readonly #outward = make("button", { type: "button", onclick: () => this.#guarded(this.post.setDirection(false)) });
  /** Across the screen, whoever stands there: rows that nobody else has, for more than a day. */
  readonly #alarmText = make("p");
  readonly #alarmExport = make("button", { type: "button", onclick: () => this.#guarded(this.#export()) });
  readonly #alarm = make("div", { class: "g-alarm lf-note is-error", role: "alert", hidden: true }, this.#alarmText, this.#alarmExport);
  readonly #main: HTMLElement;
  readonly #verdict = make("div", { class: "g-main", hidden: true });
  readonly #live = make("p", { class: "lf-hidden-visually", role: "status", "aria-live": "assertive" });
  readonly #video = make("video", { playsinline: true, muted: true, "aria-hidden": "true" });
  readonly #cameraBox = make("div", { class: "g-camera" });
  readonly #hint = make("p", { role: "status" });
  readonly #camera: Camera;
  readonly post: Post;
  readonly #name = make("h1");
  #shownPost: Enrolment | null = null;
  #shownFor: unknown = null;
  /** What the verdict on the screen was drawn from: it is drawn again only when that changes, or a tap would be lost. */
  #drawn: readonly unknown[] = [];
  #overriding = false;
  #unsent = 0;
  #unsentSince: number | null = null;
  #aside = 0;
  /** Calls for help and handovers that did not get through within a minute. */
  #waiting = 0;
  #kept: boolean | null = null;
  #cleared = false;
  #torch = false;
  #cameraTrouble: Word | null = null;
  #trouble: Word | null = null;
  /** What came of the last file or board sheet that was read. */
  #note: string | null = null;
  #met = "";

  private constructor(
    readonly root: HTMLElement,
    readonly store: GateStore,
    readonly sync: Sync,
    public language: Language,
  ) {
    this.post = new Post(store, {
      get compounds() {
        return new Set(sync.enrolment.compounds);
      },
      held: () => sync.held,
      listVersion: () => sync.listVersion,
      deviceTime,
      ticks: () => performance.now(),
      floorSeen: (floor) => sync.raiseFloor(floor),
      recorded: () => {
        sync.wake();
        void this.#count();
      },
      changed: () => this.#render(),
      failed: (error) => this.#failed(error),
    });
    this.#camera = new Camera(this.#video, (text) => this.#scanned(text, "camera"));
    this.#main = make("div", { class: "g-main" });
  }

  static async open(root: HTMLElement, store: GateStore, enrolment: Enrolment, language: Language): Promise<App> {
    let app: App | undefined;
    const sync = await Sync.open(store, enrolment, deviceTime, () => app?.changed());
    app = new App(root, store, sync, language);
    await app.post.resume();
    return app;
  }

  /** As the desk has corrected it since. */
  get enrolment(): Enrolment {
    return this.sync.enrolment;
  }

  changed(): void {
    if (this.#shownPost !== this.enrolment) this.#showPost();
    if (this.sync.cleared && !this.#cleared) {
      this.#cleared = true;
      this.post.forgetMarks();
      this.#buildMain();
    }
    void this.#count();
  }

  /** The name and kind of the post, when they were corrected too; who stands here stays. */
  #showPost(): void {
    this.#shownPost = this.enrolment;
    this.#name.textContent = this.enrolment.gateName;
    this.#buildMain();
  }

  begin(): void {
    const top = make("header", { class: "g-top" }, this.#name, this.#topExit, this.#facts);
    this.root.replaceChildren(top, this.#alarm, make("main", { class: "g-main" }, this.#main, this.#verdict), this.#live);
    this.#showPost();
    void this.#count();
    listenForScanner(document, (text) => this.#scanned(text, "scanner"));
    addEventListener("online", () => this.sync.wake());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) void this.#wakeLock();
    });
    this.sync.start();
    prepareReader();
    void this.#askToKeep();
    setInterval(() => void this.#count(), 20_000);
    this.#guarded(this.store.dropMarks(deviceTime()));
    setInterval(() => this.#guarded(this.store.dropMarks(deviceTime())), ALREADY_SHOWN_SECONDS * 1000);
    if (this.post.shift === null) this.#shiftDialog();
  }

  #scanned(text: string, by: "camera" | "scanner"): void {
    const dialog = document.querySelector<HTMLDialogElement>("dialog[open]");
    // Behind a dialog the camera sees what nobody holds up to it; a pulled trigger is meant, and comes first.
    if (dialog !== null && by === "camera") return;
    dialog?.close();
    if (text.startsWith(SHEET_PREFIX)) this.#guarded(this.#meetSheet(text));
    else this.#guarded(this.post.scan(text, by));
  }

  /** A board sheet is nobody's pass: its fingerprint is compared, and whoever stands here stays. */
  async #meetSheet(text: string): Promise<void> {
    // It stays before the camera; what was met is met.
    if (text === this.#met) return;
    this.#met = text;
    this.#note = this.#say(`sheet_${await this.sync.meetSheet(text)}`);
    this.#renderTop();
  }

  /** What fails in the store is said; the post goes on. */
  #guarded(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.#failed(error));
  }

  #failed(error: unknown): void {
    console.error(error);
    this.#trouble = "storage_trouble";
    this.#renderTop();
  }

  async #askToKeep(): Promise<void> {
    this.#kept = (await navigator.storage?.persist?.()) ?? false;
    this.#renderTop();
  }

  async #wakeLock(): Promise<void> {
    await navigator.wakeLock?.request("screen").catch(() => undefined);
  }

  async #count(): Promise<void> {
    this.#unsent = await this.store.unsent();
    this.#unsentSince = await this.store.unsentSince(deviceTime());
    this.#aside = await this.store.asideCount();
    this.#waiting = (await this.store.signals(deviceTime() - 60)).waiting;
    this.#render();
  }

  #say(word: Word): string {
    return say(word, this.language);
  }

  // --- what stands on the screen -----------------------------------------------------------

  #buildMain(): void {
    document.documentElement.lang = this.language === "zh" ? "zh-Hans" : "en";
    const button = (word: Word, act: () => void, name = ""): HTMLElement =>
      make("button", { type: "button", class: name || undefined, onclick: act }, this.#say(word));
    // Only a compound has residents to look up: elsewhere nobody would ever be found.
    const lookups =
      this.enrolment.compounds.length === 0 || this.sync.cleared
        ? []
        : [button("type_number", () => this.#numberDialog()), button("type_door", () => this.#doorDialog())];
    this.#main.replaceChildren(
      make("div", { class: "g-direction", role: "group", "aria-label": this.#say("direction") }, this.#inward, this.#outward),
      this.#cameraBox,
      make(
        "div",
        { class: "g-bottom" },
        ...lookups,
        button("life_exit", () => this.#guarded(this.post.lifeExit()), "g-life"),
        button("help", () => this.#help()),
        button("menu", () => this.#menu()),
      ),
    );
    const road = this.enrolment.kind === "road";
    this.#inward.textContent = this.#say(road ? "onward" : "in");
    this.#outward.textContent = this.#say(road ? "homeward" : "out");
    this.#topExit.textContent = this.#say("life_exit");
    this.#facts.setAttribute("aria-label", this.#say("list_age"));
    this.#drawn = [];
    this.#renderCamera(null);
  }

  #renderCamera(trouble: Word | null): void {
    this.#cameraTrouble = trouble;
    const begin = make(
      "button",
      { type: "button", class: "g-start", onclick: () => void this.#startCamera() },
      this.#say("start_camera"),
    );
    const torch = make(
      "button",
      { type: "button", class: "g-torch", "aria-pressed": String(this.#torch), onclick: () => void this.#toggleTorch() },
      this.#say("torch"),
    );
    const on = this.#camera.running;
    this.#cameraBox.replaceChildren(
      this.#video,
      ...(on ? [make("div", { class: "g-frame" }), torch] : [begin]),
      this.#hint,
    );
    this.#renderHint();
  }

  #renderHint(): void {
    const words = this.#say(this.#cameraTrouble ?? (this.post.stillThere ? "still_there" : "scan"));
    if (this.#hint.textContent !== words) this.#hint.textContent = words;
  }

  async #startCamera(): Promise<void> {
    allowSound();
    const trouble = await this.#camera.start();
    this.#renderCamera(trouble === null ? null : `camera_${trouble}`);
    void this.#wakeLock();
  }

  async #toggleTorch(): Promise<void> {
    const lit = await this.#camera.torch(!this.#torch);
    if (lit) this.#torch = !this.#torch;
    this.#renderCamera(lit ? null : "no_torch");
  }

  #renderTop(): void {
    const now = deviceTime();
    const { at, inDoubt } = timeUsed(now, this.sync.clock.offset, this.sync.clock.floor);
    const { listAt, network, clock } = this.sync;
    const age = listAt === null ? null : Math.max(0, at - listAt);
    const quiet = clock.heardAt === null ? null : now - clock.heardAt;
    const fact = (text: string, trouble: boolean): HTMLElement =>
      make("li", { class: trouble ? "is-trouble" : undefined }, text);
    // One tap from wherever the guard is; the main screen has its own, larger one.
    this.#topExit.hidden = this.post.current === null || this.post.current.input === "life_exit";
    const facts = [
      network === "withdrawn"
        ? fact(this.#say(this.sync.cleared ? "withdrawn_cleared" : "withdrawn"), true)
        : fact(
            network === "online" ? this.#say("online") : quiet === null ? this.#say("offline") : `${this.#say("offline")} ${duration(quiet, this.language)}`,
            network !== "online" && (quiet ?? 0) > 3600,
          ),
      // A withdrawn device waits for none.
      !this.sync.cleared &&
        (age === null
          ? fact(this.#say("no_list"), true)
          : fact(`${this.#say("list_age")} ${duration(age, this.language)}`, age > this.sync.ages.day)),
      this.sync.fork !== null && fact(this.#say("chain_fork"), true),
      this.sync.fork === null && this.sync.forkAtTheParties && fact(this.#say("chain_fork_elsewhere"), true),
      this.sync.chain === "other" && fact(this.#say("chain_other"), true),
      this.sync.chain === "followed" && fact(this.#say("chain_followed"), false),
      !this.sync.compoundHere && !this.sync.cleared && fact(this.#say("no_compound"), true),
      fact(`${this.#say("unsent")} ${this.#unsent}`, this.#unsent > 0 && (quiet ?? 0) > 3600),
      // The guard must know that a call did not get through; the words tell nobody else what it was.
      this.#waiting > 0 && fact(`${this.#say("waiting")} ${this.#waiting}`, true),
      this.#aside > 0 && fact(`${this.#say("aside")} ${this.#aside}`, true),
      inDoubt && fact(this.#say("clock_doubt"), true),
      this.post.clockSuspect && fact(this.#say("clock_suspect"), true),
      // Said when it matters: rows are here, and nowhere else yet.
      this.#kept === false && this.#unsent > 0 && network !== "online" && fact(this.#say("not_kept"), true),
      this.#note !== null && fact(this.#note, false),
      this.#trouble !== null && fact(this.#say(this.#trouble), true),
    ];
    this.#facts.replaceChildren(...facts.filter((one) => one !== false));
  }

  #renderAlarm(): void {
    const silent = this.#unsentSince !== null && deviceTime() - this.#unsentSince > DAY;
    if (silent) {
      const words = this.#say("silent_long");
      if (this.#alarmText.textContent !== words) this.#alarmText.textContent = words;
      this.#alarmExport.textContent = this.#say("export_file");
      // Who stands here comes first: beside a verdict the line alone, so that no button leaves the screen.
      this.#alarmExport.style.display = this.post.current === null ? "" : "none";
    }
    this.#alarm.hidden = !silent;
  }

  #render(): void {
    this.#renderTop();
    this.#renderAlarm();
    this.#renderHint();
    this.#inward.setAttribute("aria-pressed", String(this.post.inward));
    this.#outward.setAttribute("aria-pressed", String(!this.post.inward));
    const { current } = this.post;
    this.#main.hidden = current !== null;
    this.#verdict.hidden = current === null;
    if (current === null) {
      this.#shownFor = null;
      this.#drawn = [];
      this.#overriding = false;
      this.#verdict.replaceChildren();
      this.#live.textContent = "";
      return;
    }
    // A new look, not merely a tap on this one: sound, and the words for a screen reader.
    const isNew = this.#shownFor !== current.outcome;
    if (isNew) {
      this.#overriding = false;
      this.#shownFor = current.outcome;
      play(current.outcome.decision.verdict);
      this.#live.textContent = this.#say(current.outcome.decision.verdict);
    }
    const { outcome, closed, companions, alreadyShown, temperature, written } = current;
    const from = [outcome, closed, companions, alreadyShown, temperature, this.language, this.post.inward, this.#overriding];
    if (from.every((part, i) => part === this.#drawn[i])) {
      const line = this.#verdict.querySelector(".g-recorded");
      if (line !== null) line.textContent = recordedWords(written, this.language);
      offerMeasure(this.#verdict, this.post.mayMeasure);
      return;
    }
    this.#drawn = from;
    this.#verdict.replaceChildren(
      verdictView(
        current,
        {
          language: this.language,
          inward: this.post.inward,
          phone: this.enrolment.communityPhone,
          overriding: this.#overriding,
          ages: this.sync.ages,
          mayMeasure: this.post.mayMeasure,
        },
        {
          pass: (options) => {
            this.#guarded(this.post.pass(options));
            this.#next();
          },
          turned: () => {
            this.#guarded(this.post.turned());
            this.#next();
          },
          next: () => this.#next(),
          companion: () => this.#guarded(this.post.companion()),
          temperature: () => this.#temperatureDialog(),
          lifeExitWord: (word) => this.#guarded(this.post.lifeExitWord(word)),
          override: () => {
            this.#overriding = true;
            this.#render();
          },
        },
      ),
    );
    if (isNew) document.getElementById("verdict-word")?.focus({ preventScroll: true });
  }

  #next(): void {
    this.#guarded(this.post.next());
    if (this.post.shift === null) this.#shiftDialog();
  }

  // --- dialogs -----------------------------------------------------------------------------

  #numberDialog(): void {
    const [label, input] = field(this.#say("number"), { inputmode: "numeric", maxlength: "14", name: "number" });
    ask(this.#say("type_number"), this.language, [label], this.#say("look_up"), async () => {
      const looked = await this.post.findByNumber(input.value);
      if (looked === "shown") return null;
      return looked === "not a number" ? "bad_number" : looked === "too many" ? "too_many" : null;
    });
    input.focus();
  }

  #doorDialog(): void {
    const [doorLabel, door] = field(this.#say("door"), { inputmode: "text", maxlength: "32", name: "door" });
    const [yearLabel, year] = field(this.#say("birth_year"), { inputmode: "numeric", maxlength: "4", name: "year" });
    const dialog = ask(this.#say("type_door"), this.language, [doorLabel, yearLabel], this.#say("look_up"), async () => {
      const typed = Number(year.value.normalize("NFKC").trim());
      if (door.value.trim() === "" || !Number.isInteger(typed) || typed < 1880 || typed > 2100) return "not_found";
      const looked = await this.post.findByDoor(door.value, typed);
      // One dialog after the other: the focus of the first goes back before the second takes it.
      if (typeof looked === "object") dialog.addEventListener("close", () => this.#whichDialog(looked.among));
      return looked === "too many" ? "too_many" : null;
    });
    door.focus();
  }

  /** Initials of those who match door and year, and of nobody else; the member number where initials are the same. */
  #whichDialog(among: readonly StoreRow[]): void {
    const label = ({ identity: { initials, memberNo } }: StoreRow): string => {
      const alike = among.filter((one) => one.identity.initials === initials).length > 1;
      return alike && memberNo !== null ? `${initials} · ${this.#say("member")} ${memberNo}` : initials;
    };
    const entries = among.map((row) => ({ label: label(row), act: () => this.#guarded(this.post.choose(row)) }));
    menu(this.language, entries, this.#say("which"));
  }

  #temperatureDialog(): void {
    this.post.measuring(true);
    const [label, input] = field(`${this.#say("temperature")} ℃`, { inputmode: "decimal", maxlength: "4", name: "temperature" });
    const dialog = ask(this.#say("temperature"), this.language, [label], this.#say("measured"), async () => {
      const tenths = Math.round(Number(input.value.normalize("NFKC").replace(/[,，。]/, ".")) * 10);
      if (!(tenths >= 300 && tenths <= 450)) return "temperature_odd";
      const result = await this.post.temperature(tenths);
      if (result !== "again") return null;
      input.value = "";
      return "temperature_again";
    });
    dialog.addEventListener("close", () => {
      this.post.measuring(false);
      // The button that opened it may be gone with the verdict before; keys go on from the verdict of now.
      if (document.activeElement === null || document.activeElement === document.body) {
        document.getElementById("verdict-word")?.focus({ preventScroll: true });
      }
    });
    input.focus();
  }

  #shiftDialog(): void {
    const [label, input] = field(this.#say("guard"), { maxlength: "24", name: "guard" });
    ask(this.#say("shift_title"), this.language, [label], this.#say("begin"), async () => {
      allowSound();
      const guard = input.value.trim();
      if (guard === "") return "shift_title";
      await this.#admit(guard, (known) => this.#beginShift(known));
      return null;
    });
    input.focus();
  }

  #admit(typed: string, take: (guard: string) => Promise<void>): Promise<void> {
    return admit(typed, {
      language: this.language,
      listed: this.enrolment.guards ?? [],
      take,
      admitted: (facts) => this.sync.tell({ kind: "admitted", at: deviceTime(), facts }),
    });
  }

  async #beginShift(guard: string): Promise<void> {
    const shift: Shift = { guard, startedAt: deviceTime(), counts: {} };
    await this.store.keepSetting("shift", shift);
    this.post.shift = shift;
    this.#render();
    void this.#startCamera();
  }

  #handoverDialog(): void {
    const shift = this.post.shift;
    if (shift === null) {
      this.#shiftDialog();
      return;
    }
    handover({
      language: this.language,
      shift: () => this.post.shift ?? shift,
      unsent: () => this.#unsent,
      taken: (typed, stock) =>
        this.#admit(typed, async (to) => {
          const { guard, counts } = this.post.shift ?? shift;
          // Both names leave sealed, and stay nowhere else: the next screen needs who stands here now.
          await this.sync.tell({ kind: "handover", at: deviceTime(), facts: { from: guard, to, unsent: this.#unsent, ...stock, ...counts } });
          await this.#beginShift(to);
        }),
    });
  }

  /** Silent: nothing on the screen and no sound tells others that help was called. */
  #help(): void {
    this.#guarded(this.sync.tell({ kind: "help", at: deviceTime(), facts: { guard: this.post.shift?.guard ?? "" } }));
  }

  #menu(): void {
    menu(this.language, [
      { label: this.#say("handover"), act: () => this.#handoverDialog() },
      { label: this.#say("nothing"), act: () => this.#guarded(this.post.nothingShown()) },
      { label: this.#say("exported"), act: () => this.#guarded(this.#export()) },
      { label: this.#say("receipts"), act: () => this.#readReceipts() },
      { label: this.#say("language"), act: () => this.#guarded(this.#switchLanguage()) },
    ]);
  }

  async #switchLanguage(): Promise<void> {
    this.language = this.language === "zh" ? "en" : "zh";
    await this.store.keepSetting("language", this.language);
    this.#buildMain();
    this.#render();
  }

  /** Rows stay on the device until a receipt comes, wherever the file goes. */
  async #export(): Promise<void> {
    const batches = await this.store.allBatches();
    const file = new Blob([exportFile(batches.map(encodeBatch))], { type: "application/octet-stream" });
    const link = make("a", { href: URL.createObjectURL(file), download: `lianfang-${hex(this.enrolment.device).slice(0, 8)}-${deviceTime()}.gate` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  /** The desk's answer to an exported file; a file of records itself belongs on the desk. */
  #readReceipts(): void {
    const input = make("input", { type: "file", accept: ".gate" });
    input.addEventListener("change", () => {
      const [file] = input.files ?? [];
      if (file === undefined) return;
      void file
        .arrayBuffer()
        .then((buffer) => this.sync.takeReceipts(new Uint8Array(buffer)))
        .then(
          (count) => `${this.#say("receipts_read")} ${count}`,
          () => this.#say("receipts_bad"),
        )
        .then((words) => {
          this.#note = words;
          return this.#count();
        });
    });
    input.click();
  }
}
