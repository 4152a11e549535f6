/**
 * The post: what happens from one person to the next at a gate. No DOM.
 *
 * One person at a time is "at the gate". ALLOW is recorded at once, and on the way in its row is
 * held back a moment for a temperature that may change it; every other verdict waits
 * for the guard's tap, or for the next person, and is then recorded as it stood: nobody who
 * was looked at is left out of the count. A life exit is on disk before the word is chosen.
 *
 * G-8: every input changes what is shown, and the verdict waits for no disk. It is shown first
 * and written behind it, one row after the other; what remembers passes is asked for a moment
 * only. A method's promise is kept when its rows are on disk; what fails there is told to
 * `around.failed`, and the verdict stands.
 */

import type { Bytes } from "../bytes";
import { phonesDisagree } from "../pass/clock";
import { passNumber } from "../pass/number";
import { type ByHand, codeToKeep, type Passage } from "../pass/passages";
import { isOverLong, quotaAt } from "../pass/rules";
import { type Held, look, type Outcome, type StoreRow } from "../pass/scan";
import type { Decision } from "../pass/verdict";
import { persons, plainDoor, speaking } from "./lookup";
import { ALREADY_SHOWN_SECONDS } from "./marks";
import type { GateStore, Mark, Shift } from "./store";

/**
 * While its verdict is on the screen, a card that stays before the camera is one look, and so is
 * a scanner's double read; a second pull of the trigger is meant.
 */
const SAME_LOOK_MS = { camera: 2500, scanner: 800 } as const;
/** A verdict stands long enough to be read, whatever else comes before the camera; a pulled trigger is meant. */
const STANDS_MS = 1000;
/** How long a verdict waits for what the disk remembers: a flag may be missed, a verdict never. */
const MEMORY_MS = 120;
const MARKS_AT_HAND = 500;
const LOOKUPS_PER_HOUR = 30;
const LIFE_EXIT_WORD_SECONDS = 20;
/** How long the row of an ALLOW on the way in stays here, so that a measured temperature can stand in it. */
const HELD_BACK_MS = 6000;
/** Stands in the place of an override where the verdict was to let pass and the guard did not (docs/gates.md, T07). */
export const TURNED_AWAY = "未放行";

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
  /** What was closed is on disk. */
  readonly written: boolean;
  readonly companions: number;
}

export interface Surroundings {
  readonly compounds: ReadonlySet<string>;
  readonly held: () => Held;
  readonly listVersion: () => number;
  readonly deviceTime: () => number;
  /** Milliseconds that only rise, whatever is done to the clock. */
  readonly ticks: () => number;
  readonly floorSeen: (floor: number) => Promise<void>;
  readonly recorded: () => void;
  readonly changed: () => void;
  /** The store could not be read or written. */
  readonly failed: (error: unknown) => void;
}

interface PendingLifeExit {
  readonly at: number;
  readonly inward: boolean;
}

const NOTHING: { readonly text: string; readonly at: number } = { text: "", at: Number.NEGATIVE_INFINITY };
const UNREADABLE: Decision = { verdict: "CALL", reason: "UNREADABLE", notes: [] };

type Row = Omit<Passage, "seq" | "gate">;
/** The row of the ALLOW on the screen, until it is let go. */
interface Kept {
  seq: number | null;
  row: Row;
  measuring: boolean;
  timer: ReturnType<typeof setTimeout> | undefined;
}
type Looked = "shown" | "not found" | "not a number" | "too many";
/** Several were born in that year behind that door: the guard asks whose initials, and chooses. */
export interface Several {
  readonly among: readonly StoreRow[];
}

export class Post {
  inward = true;
  current: AtGate | null = null;
  shift: Shift | null = null;
  clockSuspect = false;
  /** The card of who was just dealt with is still before the camera, so no new look begins. */
  stillThere = false;
  #differences: number[] = [];
  #phones = new Set<string>();
  /** What each lane read last, and when: a card that lies before the camera while others are scanned is no new look. */
  #last = { camera: NOTHING, scanner: NOTHING };
  #shownAt = Number.NEGATIVE_INFINITY;
  #queue: Promise<unknown> = Promise.resolve();
  #writing: Promise<void> = Promise.resolve();
  #marks = new Map<string, Mark>();
  #lookups: readonly number[] = [];
  #firstHigh = false;
  #kept: Kept | null = null;

  constructor(
    readonly store: GateStore,
    readonly around: Surroundings,
  ) {}

  /** What a crash left behind: a life exit is written even if its word never came. */
  async resume(): Promise<void> {
    this.shift = await this.store.setting<Shift>("shift");
    this.#lookups = (await this.store.setting<number[]>("lookups")) ?? [];
    const pending = await this.store.setting<PendingLifeExit>("pendingLifeExit");
    if (pending !== null) await this.#writeLifeExit(pending, null);
  }

  /** One thing after the other, however fast scans and taps come; kept when its rows are on disk. */
  async #serially<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => undefined);
    const result = await done;
    await this.#writing;
    return result;
  }

  /** Write behind what is shown, in the order of what happened. */
  #later(work: () => Promise<void>): void {
    this.#writing = this.#writing.then(work).catch((error: unknown) => this.around.failed(error));
  }

  /** What the store says within a moment; null when it fails or is busy. */
  async #soon<T>(work: Promise<T>): Promise<T | null> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<null>((resolve) => (timer = setTimeout(() => resolve(null), MEMORY_MS)));
    const asked = work.catch((error: unknown) => {
      this.around.failed(error);
      return null;
    });
    const found = await Promise.race([asked, late]);
    clearTimeout(timer);
    return found;
  }

  /** In or out. Who stands here undecided is decided again for the new direction. */
  setDirection(inward: boolean): Promise<void> {
    return this.#serially(async () => {
      if (this.inward === inward) return;
      this.inward = inward;
      this.#last = { camera: NOTHING, scanner: NOTHING };
      const { current } = this;
      if (current !== null && current.closed === null && current.input !== "life_exit") {
        const outcome = await this.#look({ texts: current.texts, found: current.found, temperatureHigh: current.temperature !== null });
        this.#show({ ...current, outcome });
      } else this.#letGo();
      this.around.changed();
    });
  }

  // --- what comes in -----------------------------------------------------------------------

  /** A code from camera or scanner. */
  scan(text: string, by: "camera" | "scanner" = "camera"): Promise<void> {
    return this.#serially(async () => {
      const now = this.around.ticks();
      const busy = this.current !== null && now - this.#shownAt < STANDS_MS;
      const last = this.#last[by];
      if (by === "camera" && busy && text !== last.text) return;
      const again = text === last.text && now - last.at < SAME_LOOK_MS[by];
      this.#last[by] = { text, at: now };
      if (again && this.current !== null) return;
      if (again && by === "camera") {
        // Put away, but not taken away: that is said, and nobody is counted twice.
        if (!this.stillThere) {
          this.stillThere = true;
          this.around.changed();
        }
        return;
      }
      const before = this.current;
      const alone = await this.#look({ texts: [text] });
      const isSlip = alone.shown === null && alone.slips.length > 0;
      const waitsForPass = before !== null && before.closed === null && before.outcome.shown === null && before.texts.length > 0;
      // A slip belongs to who stands here; a pass after a slip alone joins it. All else is the next person.
      const joins = before !== null && before.closed === null && before.input !== "life_exit" && (isSlip || (waitsForPass && before.outcome.slips.length > 0));
      // G-9: a slip says no compound. Whoever it is of lives here if the store has them, and is let in to the own home.
      const known = joins && (before.found !== null || before.outcome.shown !== null);
      const slip = isSlip && !known ? alone.slips.at(-1) : undefined;
      const lives = slip === undefined ? null : await this.#soon(this.store.byIdentity(slip.identity));
      const found = persons(lives ?? [])[0] ?? null;
      if (joins) {
        const texts = [...before.texts, text];
        const who = before.found ?? found;
        const outcome = await this.#look({ texts, found: who, temperatureHigh: before.temperature !== null });
        this.#show({ ...before, texts, found: who, outcome });
        return;
      }
      this.#closeOpen();
      const outcome = found === null ? alone : await this.#look({ texts: [text], found });
      await this.#arrive({ input: "code", texts: [text], found, byHand: null, outcome });
    });
  }

  findByNumber(typed: string): Promise<Looked> {
    return this.#serially(async () => {
      const number = passNumber(typed);
      if (number === null) return "not a number";
      const card = await this.#soon(this.store.byNumber(number));
      if (card === null && !this.#lookupAllowed()) return "too many";
      const same = card === null ? null : await this.#soon(this.store.byIdentity(card.identity));
      const row = card === null ? null : speaking(card, same ?? [], this.around.held());
      await this.#byHand(row, null);
      return row === null ? "not found" : "shown";
    });
  }

  /** Who of several is meant nobody guesses: an order of one would hold the other. */
  findByDoor(door: string, birthYear: number): Promise<Looked | Several> {
    return this.#serially(async () => {
      if (!this.#lookupAllowed()) return "too many";
      const among = persons((await this.#soon(this.store.byDoor(door, birthYear))) ?? []);
      if (among.length > 1) return { among };
      const row = among[0] ?? null;
      await this.#byHand(row, { door: row?.identity.door ?? plainDoor(door), birthYear, idSeen: false });
      return row === null ? "not found" : "shown";
    });
  }

  /** The one of several whom the guard chose: still the same look-up. */
  choose(row: StoreRow): Promise<void> {
    return this.#serially(() => this.#byHand(row, null));
  }

  /** Nothing to show and nothing to type: the guard still gets a verdict. */
  nothingShown(): Promise<void> {
    return this.#serially(() => this.#byHand(null, null));
  }

  async #byHand(row: StoreRow | null, byHand: ByHand | null): Promise<void> {
    // A code that could not be trusted and the number typed from the same card are one person.
    const open = this.current;
    const bad = open !== null && open.closed === null && open.outcome.situation.proof === "bad" ? open.texts : [];
    if (bad.length === 0) this.#closeOpen();
    const outcome = await this.#look({ texts: bad, found: row });
    const hand = byHand ?? (row === null ? null : { door: row.identity.door, birthYear: row.identity.birthYear, idSeen: false });
    await this.#arrive({ input: "hand", texts: bad, found: row, byHand: hand, outcome });
  }

  /** One tap: the gate opens, the fact goes to disk, the word may follow. */
  lifeExit(): Promise<void> {
    return this.#serially(async () => {
      this.#closeOpen();
      const at = this.around.deviceTime();
      const pending = { at, inward: this.inward };
      const outcome = await this.#look({ texts: [], lifeExit: true });
      this.#later(() => this.store.keepSetting("pendingLifeExit", pending));
      this.#put({
        input: "life_exit",
        texts: [],
        found: null,
        byHand: null,
        outcome,
        alreadyShown: false,
        temperature: null,
        startedAt: at,
        closed: null,
        written: false,
        companions: 0,
      });
      setTimeout(() => void this.lifeExitWord(null, at), LIFE_EXIT_WORD_SECONDS * 1000);
    });
  }

  lifeExitWord(word: LifeExitWord | null, onlyIfStartedAt: number | null = null): Promise<void> {
    return this.#serially(async () => {
      const { current } = this;
      if (current?.input !== "life_exit" || current.closed !== null) return;
      if (onlyIfStartedAt !== null && current.startedAt !== onlyIfStartedAt) return;
      this.#closeLifeExit(current, word);
    });
  }

  #closeLifeExit(at: AtGate, word: LifeExitWord | null): void {
    const closed: AtGate = { ...at, closed: "passed" };
    this.#put(closed);
    this.#later(async () => {
      const pending = await this.store.setting<PendingLifeExit>("pendingLifeExit");
      if (pending !== null) await this.#writeLifeExit(pending, word);
      this.#written(closed);
    });
  }

  async #writeLifeExit(pending: PendingLifeExit, word: LifeExitWord | null): Promise<void> {
    await this.#write(
      this.#row({
        at: pending.at,
        inward: pending.inward,
        verdict: "ALLOW_REG",
        reason: "LIFE_EXIT",
        proof: "none",
        cti: null,
        override: word,
        temperature: null,
        byHand: null,
        code: null,
      }),
    );
    await this.store.keepSetting("pendingLifeExit", null);
  }

  /** Whether the row of the ALLOW on the screen is still here for a temperature. */
  get mayMeasure(): boolean {
    return this.#kept !== null;
  }

  /** The guard measures, or has done: as long as it lasts, what is shown does not close. */
  measuring(on: boolean): void {
    const kept = this.#kept;
    if (kept === null) return;
    kept.measuring = on;
    this.#letGoLater(kept);
  }

  #letGoLater(kept: Kept): void {
    clearTimeout(kept.timer);
    kept.timer = setTimeout(() => {
      void this.#serially(async () => {
        // Who was decided again stands here until the guard's tap.
        if (this.#kept === kept && !kept.measuring && this.current?.closed !== null) this.#letGo();
      });
    }, HELD_BACK_MS);
  }

  /** The row is final, and may be sent. */
  #letGo(): void {
    const kept = this.#kept;
    if (kept === null) return;
    clearTimeout(kept.timer);
    this.#kept = null;
    this.#later(async () => {
      this.store.letGo();
      this.around.recorded();
    });
    this.around.changed();
  }

  /**
   * A measured temperature, in tenths. The first high one asks for a second measurement; only
   * a second high one counts. It decides again, also where ALLOW closed by itself.
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
      const kept = this.#kept;
      if (current !== null && (current.closed === null || kept !== null)) {
        const outcome = await this.#look({ texts: current.texts, found: current.found, temperatureHigh: true });
        const again: AtGate = { ...current, outcome, temperature: tenths, closed: null, written: false };
        // Whatever happens before the guard's tap, the row no longer says that all was well.
        if (kept !== null) {
          const row = this.#rowOf(again, null, false);
          this.#later(() => this.#write(row, kept));
        }
        this.#show(again);
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
      this.#close(current, "passed", options.override ?? null, options.idSeen ?? true);
    });
  }

  /** The person did not pass. Where the verdict was to let pass, the row says so: a refusal leaves a trace (T07). */
  turned(): Promise<void> {
    return this.#serially(async () => {
      const { current } = this;
      if (current === null || current.closed !== null) return;
      const against = current.outcome.decision.verdict === "ALLOW_REG" && current.input !== "life_exit";
      this.#close(current, "turned", against ? TURNED_AWAY : null, false);
    });
  }

  /** One more of the same household on the same pass. */
  companion(): Promise<void> {
    return this.#serially(async () => {
      const { current } = this;
      if (current === null || current.closed !== "passed" || current.outcome.cti === null) return;
      const along: AtGate = { ...current, companions: current.companions + 1, written: false };
      this.#put(along);
      const row = this.#rowOf(current, null, false);
      this.#later(async () => {
        await this.#write(row);
        this.#written(along);
      });
    });
  }

  /** Ready for the next person. */
  next(): Promise<void> {
    return this.#serially(async () => {
      this.#closeOpen();
      this.#put(null);
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
    let first: Outcome;
    try {
      first = await look(once, this.around.compounds, held);
    } catch (error) {
      // Our own fault, and still a verdict: the guard calls the community.
      console.error(error);
      const nothing = await look({ ...once, texts: [], found: null }, this.around.compounds, held);
      return { ...nothing, decision: UNREADABLE };
    }
    const { cti, shown, timeUsed } = first;
    const { rules } = held;
    if (rules === null || cti === null || shown === null) return first;
    const quotaOf = (outs: readonly number[]) =>
      quotaAt(rules, timeUsed, this.around.compounds, shown.kind, first.situation.movement, outs);
    if (quotaOf([]) === null) return first;
    const { key, mark } = await this.#remembered(cti);
    // Who is not remembered in time is let out, and nothing is said of what is left.
    if (key === null) return first;
    const outs = mark?.outs ?? [];
    const quota = quotaOf(outs);
    return quota?.left === 0 ? look({ ...once, outs }, this.around.compounds, held) : { ...first, quota };
  }

  /** What is remembered of a pass; the key is null when the store could not say it in time. */
  async #remembered(cti: Bytes): Promise<{ key: string | null; mark: Mark | null }> {
    const found = await this.#soon(this.store.mark(cti, this.#marks));
    return found ?? { key: null, mark: null };
  }

  #remember(key: string, mark: Mark): void {
    this.#marks.delete(key);
    this.#marks.set(key, mark);
    const [oldest] = this.#marks.keys();
    if (this.#marks.size > MARKS_AT_HAND && oldest !== undefined) this.#marks.delete(oldest);
    this.#later(() => this.store.keepMark(key, mark));
  }

  /** This device is withdrawn: the store has forgotten them too. */
  forgetMarks(): void {
    this.#marks.clear();
  }

  async #arrive(who: Pick<AtGate, "input" | "texts" | "found" | "byHand" | "outcome">): Promise<void> {
    this.#firstHigh = false;
    const now = this.around.deviceTime();
    let alreadyShown = false;
    const { cti, shown, phoneSignedAt, floor } = who.outcome;
    if (cti !== null && shown !== null) {
      const { key, mark } = await this.#remembered(cti);
      // A paper pass twice within ten minutes, or the very same rotating code twice: a flag, not a block.
      const same = phoneSignedAt === null ? "paper" : String(phoneSignedAt);
      alreadyShown = mark !== null && mark.lastText === same && now - mark.lastAt < ALREADY_SHOWN_SECONDS;
      if (key !== null) {
        this.#remember(key, { outs: mark?.outs ?? [], lastAt: now, lastText: same });
        if (phoneSignedAt !== null && !this.#phones.has(key)) this.#compareClock(key, phoneSignedAt);
      }
    }
    this.#shownAt = this.around.ticks();
    this.#later(() => this.around.floorSeen(floor));
    this.#show({ ...who, alreadyShown, temperature: null, startedAt: now, closed: null, written: false, companions: 0 });
  }

  #compareClock(phone: string, signedAt: number): void {
    this.#phones.add(phone);
    this.#differences.push(signedAt - (this.around.deviceTime() + this.around.held().offset));
    if (this.#differences.length > 10) this.#differences.shift();
    this.clockSuspect = phonesDisagree(this.#differences);
  }

  #put(at: AtGate | null): void {
    this.current = at;
    this.stillThere = false;
    this.around.changed();
  }

  #show(at: AtGate): void {
    if (at.outcome.decision.verdict === "ALLOW") this.#close(at, "passed", null, false);
    else this.#put(at);
  }

  #closeOpen(): void {
    const { current } = this;
    if (current !== null && current.closed === null) {
      if (current.input === "life_exit") this.#closeLifeExit(current, null);
      else this.#close(current, "registered", null, false);
    }
    this.#letGo();
  }

  #close(at: AtGate, how: NonNullable<AtGate["closed"]>, override: string | null, idSeen: boolean): void {
    const closed: AtGate = { ...at, closed: how };
    // Nobody but the own compound's gate counts ways out, so nobody else remembers them.
    const out = how === "passed" && at.outcome.situation.movement === "home_out" ? at.outcome.cti : null;
    const now = this.around.deviceTime();
    const row = this.#rowOf(at, override, idSeen);
    const before = this.#kept;
    if (before === null && this.inward && row.verdict === "ALLOW") {
      this.#kept = { seq: null, row, measuring: false, timer: undefined };
      this.#letGoLater(this.#kept);
    }
    const kept = this.#kept;
    this.#put(closed);
    this.#later(async () => {
      await this.#write(row, kept);
      this.#written(closed);
    });
    if (before !== null) this.#letGo();
    if (out !== null) this.#wentOut(out, now);
  }

  /** A way out counts for a quota. */
  #wentOut(cti: Bytes, now: number): void {
    this.#later(async () => {
      const { key, mark } = await this.#remembered(cti);
      if (key === null) return;
      const outs = [...(mark?.outs ?? []).filter((out) => !isOverLong(out, now)), now];
      this.#remember(key, { outs, lastAt: mark?.lastAt ?? now, lastText: mark?.lastText ?? "" });
    });
  }

  #written(at: AtGate): void {
    if (this.current === at) this.#put({ ...at, written: true });
  }

  #rowOf(at: AtGate, override: string | null, idSeen: boolean): Row {
    const { decision, situation, cti, bad } = at.outcome;
    return this.#row({
      at: this.around.deviceTime(),
      inward: this.inward,
      verdict: decision.verdict,
      reason: decision.reason,
      proof: situation.proof,
      cti,
      override,
      temperature: at.temperature,
      byHand: at.byHand === null ? null : { ...at.byHand, idSeen },
      code: bad !== null && decision.notes.includes("KEEP_CODE") ? codeToKeep(bad) : null,
    });
  }

  /** The row as it stands at this instant: a handover or a new list a moment later changes nothing of it. */
  #row(row: Omit<Row, "listVersion" | "rulesVersion" | "guard">): Row {
    return {
      ...row,
      listVersion: this.around.listVersion(),
      rulesVersion: this.around.held().rules?.version ?? 0,
      guard: this.shift?.guard ?? null,
    };
  }

  /** One row more, or the row that is kept written anew. */
  async #write(row: Row, kept: Kept | null = null): Promise<void> {
    const { keys, offset, floor } = this.around.held();
    if (keys === null) throw new Error("no keys, so no sealing");
    const now = Math.max(this.around.deviceTime() + offset, floor);
    const anew = kept?.seq != null && (await this.store.amend(kept.seq, row, keys, now));
    if (!anew) {
      const seq = await this.store.record(row, keys, now, kept !== null);
      if (kept !== null) kept.seq = seq;
    }
    await this.#count(row, anew ? kept.row : null);
    if (kept !== null) kept.row = row;
    this.around.recorded();
  }

  async #count(row: Row, instead: Row | null): Promise<void> {
    if (this.shift === null) return;
    const counts = { ...this.shift.counts };
    for (const name of instead === null ? [] : countedAs(instead)) counts[name] = Math.max(0, (counts[name] ?? 0) - 1);
    for (const name of countedAs(row)) counts[name] = (counts[name] ?? 0) + 1;
    this.shift = { ...this.shift, counts };
    await this.store.keepSetting("shift", this.shift);
  }

  /** Trust T08: looking people up without a card is for the forgotten one, not for browsing. */
  #lookupAllowed(): boolean {
    const now = this.around.deviceTime();
    const recent = this.#lookups.filter((at) => now - at < 3600 && at <= now);
    if (recent.length >= LOOKUPS_PER_HOUR) return false;
    const lookups = [...recent, now];
    this.#lookups = lookups;
    this.#later(() => this.store.keepSetting("lookups", lookups));
    return true;
  }
}

/** Under which names of a shift's counts a row stands. */
function countedAs({ verdict, inward, override, reason }: Row): string[] {
  const otherwise = override === null || reason === "LIFE_EXIT" ? [] : [override === TURNED_AWAY ? "turned" : "override"];
  return [verdict, inward ? "in" : "out", ...otherwise];
}

