/**
 * The post: what happens from one person to the next at a gate. No DOM.
 *
 * One person at a time is "at the gate". ALLOW is recorded at once; every other verdict waits
 * for the guard's tap, or for the next person, and is then recorded as it stood: nobody who
 * was looked at is left out of the count. A life exit is on disk before the word is chosen.
 */

import { phonesDisagree } from "../pass/clock";
import { passNumber } from "../pass/number";
import type { ByHand, Passage } from "../pass/passages";
import { isOverLong, windowOf } from "./windows";
import { type Held, look, type Outcome, type StoreRow } from "../pass/scan";
import type { Decision } from "../pass/verdict";
import type { GateStore, Shift } from "./store";

/** A card held before the camera is one look; a second pull of a scanner's trigger is meant. */
const SAME_TEXT_SECONDS = { camera: 4, scanner: 1 } as const;
const ALREADY_SHOWN_SECONDS = 600;
const LOOKUPS_PER_HOUR = 30;
const LIFE_EXIT_WORD_SECONDS = 20;

export type LifeExitWord = "火灾" | "地震" | "急救" | "生产" | "暴力";
export const LIFE_EXIT_WORDS: readonly LifeExitWord[] = ["火灾", "地震", "急救", "生产", "暴力"];

export type Input = "code" | "hand" | "life_exit";

/** Who is at the gate now, and what was decided. */
export interface AtGate {
  readonly input: Input;
  readonly texts: readonly string[];
  readonly found: StoreRow | null;
  readonly byHand: ByHand | null;
  readonly outcome: Outcome;
  readonly alreadyShown: boolean;
  readonly temperature: number | null;
  readonly startedAt: number;
  /** How the guard closed it, and how many came along on the same pass. */
  readonly closed: "passed" | "turned" | "registered" | null;
  readonly companions: number;
}

export interface Surroundings {
  readonly compounds: ReadonlySet<string>;
  readonly held: () => Held;
  readonly listVersion: () => number;
  readonly deviceTime: () => number;
  readonly floorSeen: (floor: number) => Promise<void>;
  readonly recorded: () => void;
  readonly changed: () => void;
}

type Looked = "shown" | "not found" | "not a number" | "too many";

export class Post {
  inward = true;
  current: AtGate | null = null;
  shift: Shift | null = null;
  clockSuspect = false;
  #differences: number[] = [];
  #phones = new Set<string>();
  #lastText = "";
  #lastTextAt = 0;
  #queue: Promise<unknown> = Promise.resolve();
  #firstHigh = false;

  constructor(
    readonly store: GateStore,
    readonly around: Surroundings,
  ) {}

  /** What a crash left behind: a life exit is written even if its word never came. */
  async resume(): Promise<void> {
    this.shift = await this.store.setting<Shift>("shift");
    const pending = await this.store.setting<{ at: number; inward: boolean }>("pendingLifeExit");
    if (pending !== null) await this.#writeLifeExit(pending, null);
  }

  /** One thing after the other, however fast scans and taps come. */
  #serially<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => undefined);
    return done;
  }

  /** In or out. Who stands here undecided is decided again for the new direction. */
  setDirection(inward: boolean): Promise<void> {
    return this.#serially(async () => {
      if (this.inward === inward) return;
      this.inward = inward;
      this.#lastText = "";
      const { current } = this;
      if (current !== null && current.closed === null && current.input !== "life_exit") {
        const outcome = await this.#look({ texts: current.texts, found: current.found });
        await this.#show({ ...current, outcome });
      }
      this.around.changed();
    });
  }

  // --- what comes in -----------------------------------------------------------------------

  /** A code from camera or scanner. The same text within seconds is the same look. */
  scan(text: string, by: "camera" | "scanner" = "camera"): Promise<void> {
    return this.#serially(async () => {
      const now = this.around.deviceTime();
      if (text === this.#lastText && now - this.#lastTextAt < SAME_TEXT_SECONDS[by]) {
        this.#lastTextAt = now;
        return;
      }
      this.#lastText = text;
      this.#lastTextAt = now;
      const before = this.current;
      const alone = await this.#look({ texts: [text] });
      const isSlip = alone.shown === null && alone.slips.length > 0;
      const waitsForPass = before !== null && before.closed === null && before.outcome.shown === null && before.texts.length > 0;
      // A slip belongs to who stands here; a pass after a slip alone joins it. All else is the next person.
      const joins = before !== null && before.closed === null && before.input !== "life_exit" && (isSlip || (waitsForPass && before.outcome.slips.length > 0));
      if (joins) {
        const texts = [...before.texts, text];
        const outcome = await this.#look({ texts, found: before.found });
        await this.#show({ ...before, texts, outcome });
        return;
      }
      await this.#closeOpen();
      await this.#arrive({ input: "code", texts: [text], found: null, byHand: null, outcome: alone });
    });
  }

  findByNumber(typed: string): Promise<Looked> {
    return this.#serially(async () => {
      const number = passNumber(typed);
      if (number === null) return "not a number";
      const row = await this.store.byNumber(number);
      if (row === null && !(await this.#lookupAllowed())) return "too many";
      await this.#byHand(row, null);
      return row === null ? "not found" : "shown";
    });
  }

  findByDoor(door: string, birthYear: number, initials: string | null = null): Promise<Looked> {
    return this.#serially(async () => {
      if (!(await this.#lookupAllowed())) return "too many";
      const plain = plainDoor(door);
      const rows = await this.store.byDoor(plain, birthYear);
      const row = rows.find((candidate) => initials === null || candidate.identity.initials === initials) ?? null;
      await this.#byHand(row, { door: plain, birthYear, idSeen: false });
      return row === null ? "not found" : "shown";
    });
  }

  /** Nothing to show and nothing to type: the guard still gets a verdict. */
  nothingShown(): Promise<void> {
    return this.#serially(() => this.#byHand(null, null));
  }

  async #byHand(row: StoreRow | null, byHand: ByHand | null): Promise<void> {
    // A code that could not be trusted and the number typed from the same card are one person.
    const open = this.current;
    const bad = open !== null && open.closed === null && open.outcome.situation.proof === "bad" ? open.texts : [];
    if (bad.length === 0) await this.#closeOpen();
    const outcome = await this.#look({ texts: bad, found: row });
    const hand = byHand ?? (row === null ? null : { door: row.identity.door, birthYear: row.identity.birthYear, idSeen: false });
    await this.#arrive({ input: "hand", texts: bad, found: row, byHand: hand, outcome });
  }

  /** One tap: the gate opens, the fact is on disk, the word may follow. */
  lifeExit(): Promise<void> {
    return this.#serially(async () => {
      await this.#closeOpen();
      const at = this.around.deviceTime();
      await this.store.keepSetting("pendingLifeExit", { at, inward: this.inward });
      const outcome = await this.#look({ texts: [], lifeExit: true });
      this.current = {
        input: "life_exit",
        texts: [],
        found: null,
        byHand: null,
        outcome,
        alreadyShown: false,
        temperature: null,
        startedAt: at,
        closed: null,
        companions: 0,
      };
      this.around.changed();
      setTimeout(() => void this.lifeExitWord(null, at), LIFE_EXIT_WORD_SECONDS * 1000);
    });
  }

  lifeExitWord(word: LifeExitWord | null, onlyIfStartedAt: number | null = null): Promise<void> {
    return this.#serially(async () => {
      const pending = await this.store.setting<{ at: number; inward: boolean }>("pendingLifeExit");
      if (pending === null || (onlyIfStartedAt !== null && pending.at !== onlyIfStartedAt)) return;
      await this.#writeLifeExit(pending, word);
      if (this.current?.input === "life_exit") this.current = { ...this.current, closed: "passed" };
      this.around.changed();
    });
  }

  async #writeLifeExit(pending: { at: number; inward: boolean }, word: LifeExitWord | null): Promise<void> {
    await this.#write({
      at: pending.at,
      inward: pending.inward,
      verdict: "ALLOW_REG",
      reason: "LIFE_EXIT",
      proof: "none",
      cti: null,
      override: word,
      temperature: null,
      byHand: null,
    });
    await this.store.keepSetting("pendingLifeExit", null);
  }

  /**
   * A measured temperature, in tenths. The first high one asks for a second measurement; only
   * a second high one counts.
   */
  temperature(tenths: number): Promise<"normal" | "again" | "high"> {
    return this.#serially(async () => {
      const fever = this.around.held().rules?.feverTenths ?? 373;
      if (tenths < fever) {
        this.#firstHigh = false;
        return "normal";
      }
      if (!this.#firstHigh) {
        this.#firstHigh = true;
        return "again";
      }
      this.#firstHigh = false;
      const { current } = this;
      if (current !== null && current.closed === null) {
        const outcome = await this.#look({ texts: current.texts, found: current.found, temperatureHigh: true });
        await this.#show({ ...current, outcome, temperature: tenths });
      }
      return "high";
    });
  }

  // --- how it ends -------------------------------------------------------------------------

  /** The person passes: registered with one tap, or against the verdict with a reason. */
  pass(options: { readonly override?: string; readonly idSeen?: boolean } = {}): Promise<void> {
    return this.#serially(async () => {
      const { current } = this;
      if (current === null || current.closed !== null) return;
      await this.#close(current, "passed", options.override ?? null, options.idSeen ?? true);
    });
  }

  /** The person did not pass. */
  turned(): Promise<void> {
    return this.#serially(async () => {
      const { current } = this;
      if (current === null || current.closed !== null) return;
      await this.#close(current, "turned", null, false);
    });
  }

  /** One more of the same household on the same pass. */
  companion(): Promise<void> {
    return this.#serially(async () => {
      const { current } = this;
      if (current === null || current.closed !== "passed" || current.outcome.cti === null) return;
      await this.#writeOutcome(current, null, false);
      this.current = { ...current, companions: current.companions + 1 };
      this.around.changed();
    });
  }

  /** Ready for the next person. */
  next(): Promise<void> {
    return this.#serially(async () => {
      await this.#closeOpen();
      this.current = null;
      this.around.changed();
    });
  }

  // --- within ------------------------------------------------------------------------------

  async #look(asked: {
    texts: readonly string[];
    found?: StoreRow | null;
    lifeExit?: boolean;
    temperatureHigh?: boolean;
  }): Promise<Outcome> {
    const held = this.around.held();
    const deviceTime = this.around.deviceTime();
    const once = { ...asked, inward: this.inward, deviceTime };
    const first = await look(once, this.around.compounds, held);
    const quota = windowOf(held.rules, first, this.around.compounds);
    if (quota === null || first.cti === null) return first;
    const { mark } = await this.store.mark(first.cti);
    const used = (mark?.outs ?? []).filter((at) => at >= quota).length;
    return used === 0 ? first : look({ ...once, used }, this.around.compounds, held);
  }

  async #arrive(who: Pick<AtGate, "input" | "texts" | "found" | "byHand" | "outcome">): Promise<void> {
    this.#firstHigh = false;
    const now = this.around.deviceTime();
    let alreadyShown = false;
    const { cti, shown, phoneSignedAt } = who.outcome;
    if (cti !== null && shown !== null) {
      const { key, mark } = await this.store.mark(cti);
      // A paper pass twice within ten minutes, or the very same rotating code twice: a flag, not a block.
      const same = phoneSignedAt === null ? "paper" : String(phoneSignedAt);
      alreadyShown = mark !== null && mark.lastText === same && now - mark.lastAt < ALREADY_SHOWN_SECONDS;
      await this.store.keepMark(key, { outs: mark?.outs ?? [], lastAt: now, lastText: same });
      if (phoneSignedAt !== null && !this.#phones.has(key)) this.#compareClock(key, phoneSignedAt);
    }
    await this.around.floorSeen(who.outcome.floor);
    await this.#show({ ...who, alreadyShown, temperature: null, startedAt: now, closed: null, companions: 0 });
  }

  #compareClock(phone: string, signedAt: number): void {
    this.#phones.add(phone);
    this.#differences.push(signedAt - (this.around.deviceTime() + this.around.held().offset));
    if (this.#differences.length > 10) this.#differences.shift();
    this.clockSuspect = phonesDisagree(this.#differences);
  }

  async #show(at: AtGate): Promise<void> {
    this.current = at;
    if (at.outcome.decision.verdict === "ALLOW") await this.#close(at, "passed", null, false);
    this.around.changed();
  }

  async #closeOpen(): Promise<void> {
    const { current } = this;
    if (current === null || current.closed !== null) return;
    if (current.input === "life_exit") {
      const pending = await this.store.setting<{ at: number; inward: boolean }>("pendingLifeExit");
      if (pending !== null) await this.#writeLifeExit(pending, null);
      this.current = { ...current, closed: "passed" };
      return;
    }
    await this.#close(current, "registered", null, false);
  }

  async #close(at: AtGate, how: NonNullable<AtGate["closed"]>, override: string | null, idSeen: boolean): Promise<void> {
    await this.#writeOutcome(at, override, idSeen);
    const cti = at.outcome.cti;
    if (cti !== null && how === "passed" && !this.inward) {
      const { key, mark } = await this.store.mark(cti);
      const now = this.around.deviceTime();
      const outs = [...(mark?.outs ?? []).filter((out) => !isOverLong(out, now)), now];
      await this.store.keepMark(key, { outs, lastAt: mark?.lastAt ?? now, lastText: mark?.lastText ?? "" });
    }
    this.current = { ...at, closed: how };
    this.around.changed();
  }

  #writeOutcome(at: AtGate, override: string | null, idSeen: boolean): Promise<void> {
    const { decision, situation, cti } = at.outcome;
    return this.#write({
      at: this.around.deviceTime(),
      inward: this.inward,
      verdict: decision.verdict,
      reason: decision.reason,
      proof: situation.proof,
      cti,
      override,
      temperature: at.temperature,
      byHand: at.byHand === null ? null : { ...at.byHand, idSeen },
    });
  }

  async #write(row: Omit<Passage, "seq" | "gate" | "listVersion" | "rulesVersion" | "guard">): Promise<void> {
    const held = this.around.held();
    if (held.keys === null) throw new Error("no keys, so no sealing");
    const now = this.around.deviceTime() + held.offset;
    await this.store.record(
      {
        ...row,
        listVersion: this.around.listVersion(),
        rulesVersion: held.rules?.version ?? 0,
        guard: this.shift?.guard ?? null,
      },
      held.keys,
      Math.max(now, held.floor),
    );
    await this.#count(row.verdict, row.inward, row.override !== null && row.reason !== "LIFE_EXIT");
    this.around.recorded();
  }

  async #count(verdict: Decision["verdict"], inward: boolean, overridden: boolean): Promise<void> {
    if (this.shift === null) return;
    const counts = { ...this.shift.counts };
    for (const name of [verdict, inward ? "in" : "out", ...(overridden ? ["override"] : [])]) {
      counts[name] = (counts[name] ?? 0) + 1;
    }
    this.shift = { ...this.shift, counts };
    await this.store.keepSetting("shift", this.shift);
  }

  /** Trust T08: looking people up without a card is for the forgotten one, not for browsing. */
  async #lookupAllowed(): Promise<boolean> {
    const now = this.around.deviceTime();
    const recent = ((await this.store.setting<number[]>("lookups")) ?? []).filter((at) => now - at < 3600 && at <= now);
    if (recent.length >= LOOKUPS_PER_HOUR) return false;
    await this.store.keepSetting("lookups", [...recent, now]);
    return true;
  }
}

/** Full-width figures and dashes of an open input method are the same door. */
export function plainDoor(typed: string): string {
  return typed
    .normalize("NFKC")
    .replace(/[\u2010-\u2015\u2212]/g, "-")
    .replace(/\s/g, "");
}

