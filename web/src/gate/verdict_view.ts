/** The verdict as the guard sees it: shape, word, reason, next step, and what can be tapped. */

import { drawing, make } from "../dom";
import type { Ages } from "../pass/evidence";
import type { Verdict } from "../pass/verdict";
import { FLAG } from "../pass/tokens";
import { type AtGate, LIFE_EXIT_WORDS, type LifeExitWord } from "./post";
import { REASONS, reasonWords } from "./reasons";
import { instant, type Language, quotaWords, say, type Word } from "./words";

const SHAPES: Readonly<Record<Verdict, readonly string[]>> = {
  ALLOW: ["M50 6a44 44 0 1 0 .1 0z", "M30 52l14 14 27-30"],
  ALLOW_REG: ["M10 10h80v80h-80z", "M28 36h44M28 54h44M28 72h24"],
  CALL: ["M50 8l44 80H6z", "M50 38v22M50 74v1"],
  DENY: ["M32 6h36l26 26v36l-26 26H32L6 68V32z", "M28 50h44"],
};

const LIFE_WORDS: Readonly<Record<LifeExitWord, Word>> = {
  火灾: "fire",
  地震: "earthquake",
  急救: "ambulance",
  生产: "birth",
  暴力: "violence",
};

const OVERRIDES: readonly Word[] = [
  "reason_medicine",
  "reason_work",
  "reason_care",
  "reason_community",
  "reason_mistake",
];

export interface VerdictActs {
  readonly pass: (options?: { override?: string; idSeen?: boolean }) => void;
  readonly turned: () => void;
  readonly next: () => void;
  readonly companion: () => void;
  readonly temperature: () => void;
  readonly lifeExitWord: (word: LifeExitWord) => void;
}

interface Context {
  readonly language: Language;
  readonly inward: boolean;
  readonly phone: string;
  readonly overriding: boolean;
  readonly ages: Ages;
  /** The row of this ALLOW is still here for a temperature. */
  readonly mayMeasure: boolean;
}

export function verdictView(
  at: AtGate,
  context: Context,
  acts: VerdictActs & { readonly override: () => void },
): HTMLElement {
  const { language } = context;
  const { decision } = at.outcome;
  // The same verdict as by a list that is old, and another sentence: there is none that could be fresher.
  const elsewhere = at.outcome.listElsewhere && (decision.reason === "LIST_OLD" || decision.reason === "LIST_DAY_OLD");
  const words = REASONS[elsewhere ? "LIST_DAY_OLD" : decision.reason];
  const text = (word: Word): string => say(word, language);
  const word = text(decision.verdict);
  const dark = decision.verdict === "CALL" || decision.verdict === "DENY";
  const label = make("h2", { class: `g-word${word.length > 6 ? " is-long" : ""}`, id: "verdict-word", tabindex: "-1" }, word);
  return make(
    "section",
    {
      class: `g-verdict${dark ? " is-dark" : ""}`,
      "data-verdict": decision.verdict,
      "data-reason": decision.reason,
      "aria-labelledby": "verdict-word",
    },
    make("div", { class: "g-head" }, drawing(SHAPES[decision.verdict], "g-shape"), label),
    make("p", { class: "g-reason" }, elsewhere ? text("list_elsewhere") : reasonWords(decision.reason, context.ages, language)),
    until(at, language),
    person(at, language),
    quota(at, language),
    // Whoever chooses a reason has read the flags; the choices stand where they were, without scrolling.
    ...(context.overriding ? [] : flags(at, language)),
    // "Let pass" below "Let pass" is one more line for tired eyes.
    decision.verdict === "ALLOW" || context.overriding
      ? null
      : at.input === "life_exit"
      ? make("p", { class: "g-next" }, text("life_exit_word"))
      : make("p", { class: "g-next" }, language === "zh" ? words.next_zh : words.next_en),
    make("div", { class: "g-acts" }, ...buttons(at, context, acts)),
  );
}

function until(at: AtGate, language: Language): HTMLElement | null {
  const { orderEnd } = at.outcome;
  if (orderEnd === null) return null;
  return make("p", { class: "g-reason" }, `${say("until", language)} ${instant(orderEnd, language)}`);
}

/** What is left where a signed act sets a number; a gate that does not remember the pass says nothing. */
function quota(at: AtGate, language: Language): HTMLElement | null {
  const found = at.outcome.quota;
  return found === null ? null : make("p", { class: "g-next g-quota" }, quotaWords(found, language));
}

/** What the guard compares with the person: initials, door, birth year. Never a name. */
function person(at: AtGate, language: Language): HTMLElement | null {
  const { shown, slips } = at.outcome;
  const identity = shown?.identity ?? at.found?.identity ?? slips.at(-1)?.identity;
  if (identity === undefined) {
    return at.byHand === null ? null : make("p", { class: "g-person" }, make("span", {}, at.byHand.door));
  }
  const kind = shown?.kind ?? at.found?.kind;
  const parts = [
    identity.initials,
    identity.door,
    identity.birthYear === null ? null : String(identity.birthYear),
    kind === undefined ? null : say(`class_${kind}`, language),
    shown !== null && (shown.flags & FLAG.PAPER) !== 0 ? say("paper", language) : null,
  ];
  return make(
    "p",
    { class: "g-person" },
    ...parts.filter((part) => part !== null).map((part) => make("span", {}, part)),
  );
}

function flags(at: AtGate, language: Language): HTMLElement[] {
  const { notes, verdict } = at.outcome.decision;
  const found: Word[] = [];
  if (at.alreadyShown) found.push("already_shown");
  if (notes.includes("ASK_REFRESH") && at.outcome.decision.reason !== "CODE_STALE") found.push("ask_refresh");
  if (notes.includes("TELL_COMMUNITY")) found.push("tell_community");
  // Where no list could speak there is no evidence at all, and that says nothing of the lists held.
  const listed = at.outcome.shown !== null || (at.found !== null && at.found.listUri !== null);
  if (listed && notes.includes("LIST_OLD") && !at.outcome.listElsewhere) found.push("list_old");
  if (notes.includes("CLOCK_IN_DOUBT")) found.push("clock_doubt");
  if ((verdict === "DENY" || verdict === "CALL") && at.outcome.slips.length === 0 && at.texts.length > 0) found.push("slip_hint");
  return found.map((word) => make("p", { class: "g-flag" }, say(word, language)));
}

function buttons(
  at: AtGate,
  context: Context,
  acts: VerdictActs & { readonly override: () => void },
): (HTMLElement | null)[] {
  const text = (word: Word): string => say(word, context.language);
  const button = (label: string, act: () => void, main = false): HTMLElement =>
    make("button", { type: "button", class: main ? "is-main" : undefined, onclick: act }, label);
  const next = button(text("next"), acts.next, true);

  if (at.input === "life_exit") {
    const words = LIFE_EXIT_WORDS.map((word) => button(text(LIFE_WORDS[word]), () => acts.lifeExitWord(word)));
    return at.closed === null ? [make("div", { class: "g-three" }, ...words), next] : [recorded(at, context.language), next];
  }
  if (at.closed !== null) {
    const household = at.closed === "passed" && at.outcome.shown?.kind === "H";
    const along = at.companions > 0 ? `${text("companion")}（${text("companions")} ${at.companions}）` : text("companion");
    const measure = context.inward && at.outcome.decision.verdict === "ALLOW" ? button(text("temperature"), acts.temperature) : null;
    measure?.classList.add(MEASURE);
    if (measure !== null) offer(measure, context.mayMeasure);
    const two = [household ? button(along, acts.companion) : null, measure].filter((one) => one !== null);
    return [recorded(at, context.language), two.length === 0 ? null : make("div", { class: "g-two" }, ...two), next];
  }
  const { verdict } = at.outcome.decision;
  const warm = context.inward ? button(text("temperature"), acts.temperature) : null;
  if (context.overriding) {
    return [
      make("p", { class: "g-next" }, text("override")),
      make(
        "div",
        { class: "g-three" },
        ...OVERRIDES.map((word) => button(text(word), () => acts.pass({ override: say(word, "zh") }))),
      ),
      button(text("not_passed"), acts.turned),
    ];
  }
  if (verdict === "ALLOW_REG") {
    return [
      at.found === null ? null : make("p", { class: "g-next" }, text("id_seen")),
      button(text("registered"), () => acts.pass({ idSeen: true }), true),
      make("div", { class: "g-two" }, warm, button(text("not_passed"), acts.turned)),
    ];
  }
  const call = context.phone === "" ? make("p", { class: "g-next" }, text("no_phone")) : make("a", { href: `tel:${context.phone}`, class: verdict === "CALL" ? "is-main" : undefined }, `${text("call")} ${context.phone}`);
  return [
    call,
    make("div", { class: "g-two" }, button(text("not_passed"), acts.turned), button(text("override"), acts.override)),
    warm,
  ];
}

const MEASURE = "g-measure";

/** The button of an ALLOW goes when its row is final; it leaves its place empty, so that no other moves under a finger. */
export function offerMeasure(view: HTMLElement, mayMeasure: boolean): void {
  const button = view.querySelector<HTMLElement>(`.${MEASURE}`);
  if (button !== null) offer(button, mayMeasure);
}

function offer(button: HTMLElement, may: boolean): void {
  button.style.visibility = may ? "" : "hidden";
}

function recorded(at: AtGate, language: Language): HTMLElement {
  return make("p", { class: "g-next g-recorded", role: "status" }, recordedWords(at.written, language));
}

/** Said only once it is on disk; the line keeps its place, so that no button moves under a finger. */
export function recordedWords(written: boolean, language: Language): string {
  return written ? `✓ ${say("recorded", language)}` : "…";
}
