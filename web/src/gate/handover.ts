/**
 * Handover by two persons (domain.md F12): who leaves says how it stands, who comes takes it; each taps for themselves.
 *
 * Until the second tap nothing is recorded, and either may cancel.
 */

import { make } from "../dom";
import { ask, counts, field } from "./dialogs";
import { plainNumber } from "./guards";
import type { Shift } from "./store";
import { type Language, say } from "./words";

/** What who leaves says of the post beside the device's own counts; what was left empty is not said. */
export type Stock = Readonly<Record<string, number>>;

const MOST = 9999;

export interface Handover {
  readonly language: Language;
  readonly shift: () => Shift;
  readonly unsent: () => number;
  /** Both have tapped. */
  readonly taken: (by: string, stock: Stock) => Promise<void>;
}

export function handover(of: Handover): void {
  const { language } = of;
  const from = of.shift().guard;
  const [issuesLabel, issues] = field(say("open_issues", language), { inputmode: "numeric", maxlength: "4", name: "issues" });
  const [masksLabel, masks] = field(say("masks_left", language), { inputmode: "numeric", maxlength: "4", name: "masks" });
  const thermometer = make(
    "select",
    { name: "thermometer" },
    make("option", { value: "" }, "—"),
    make("option", { value: "1" }, say("works", language)),
    make("option", { value: "0" }, say("broken", language)),
  );
  const stockFields = make(
    "div",
    { class: "g-stock" },
    issuesLabel,
    masksLabel,
    make("label", {}, say("thermometer", language), thermometer),
  );
  const how = [make("p", {}, `${say("leaves", language)}${colon(language)}${from}`), counts(of.shift(), of.unsent(), language), stockFields];
  let said: Stock | null = null;
  const leaving = ask(`${say("handover", language)} 1/2`, language, how, `${say("i_leave", language)} ${from}`, async () => {
    said = stockOf({ issues: issues.value || "0", masks: masks.value, thermometer: thermometer.value });
    return said === null ? "whole_number" : null;
  });
  leaving.addEventListener("close", () => {
    if (said !== null) take(of, from, said);
  });
}

function take(of: Handover, from: string, stock: Stock): void {
  const { language } = of;
  const [label, input] = field(say("handover_to", language), { maxlength: "24", name: "to" });
  const how = [
    make("p", {}, `${say("left_by", language)}${colon(language)}${from}`),
    counts(of.shift(), of.unsent(), language),
    make("p", { class: "g-said" }, stockWords(stock, language)),
    label,
  ];
  ask(`${say("handover", language)} 2/2`, language, how, say("i_take", language), async () => {
    const to = plainNumber(input.value);
    if (to === "" || to.toUpperCase() === from.toUpperCase()) return "handover_other";
    await of.taken(to, stock);
    return null;
  });
  input.focus();
}

function colon(language: Language): string {
  return language === "zh" ? "：" : ": ";
}

/** What was typed as numbers; null where something typed is none. */
export function stockOf(typed: Readonly<Record<string, string>>): Stock | null {
  const plain = Object.entries(typed).map(([name, text]) => [name, text.normalize("NFKC").trim()] as const);
  const given = plain.filter(([, text]) => text !== "");
  if (!given.every(([, text]) => /^[0-9]{1,4}$/.test(text) && Number(text) <= MOST)) return null;
  return Object.fromEntries(given.map(([name, text]) => [name, Number(text)]));
}

function stockWords(stock: Stock, language: Language): string {
  const { issues = 0, masks, thermometer } = stock;
  const between = language === "zh" ? "" : " ";
  return [
    `${say("open_issues", language)} ${issues}`,
    masks === undefined ? null : `${say("masks_left", language)} ${masks}`,
    thermometer === undefined ? null : `${say("thermometer", language)}${between}${say(thermometer === 1 ? "works" : "broken", language)}`,
  ]
    .filter((part) => part !== null)
    .join(language === "zh" ? "，" : ", ");
}
