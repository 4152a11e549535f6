/** The gate's small dialogs: number, door, temperature, shift, handover, menu. */

import { make } from "../dom";
import type { Shift } from "./store";
import { type Language, say, type Word } from "./words";

/** Shows a dialog with a form; `submit` answers with a word that is shown as an error, or null to close. */
export function ask(
  title: string,
  language: Language,
  fields: readonly HTMLElement[],
  submitLabel: string,
  submit: () => Promise<Word | null>,
): HTMLDialogElement {
  const trouble = make("p", { role: "alert" });
  const form = make(
    "form",
    { class: "g-form", method: "dialog" },
    ...fields,
    trouble,
    make("button", { class: "is-main" }, submitLabel),
    make("button", { type: "button", onclick: () => dialog.close() }, say("cancel", language)),
  );
  const dialog = make("dialog", { "aria-label": title }, make("h2", {}, title), form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void submit().then((word) => {
      if (word === null) dialog.close();
      else trouble.textContent = say(word, language);
    });
  });
  return open(dialog);
}

export function open(dialog: HTMLDialogElement): HTMLDialogElement {
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
  return dialog;
}

export function field(label: string, attributes: Readonly<Record<string, string | boolean>>): [HTMLLabelElement, HTMLInputElement] {
  const input = make("input", { autocomplete: "off", autocapitalize: "off", spellcheck: "false", ...attributes });
  return [make("label", {}, label, input), input];
}

export function menu(
  language: Language,
  entries: readonly { readonly label: string; readonly act: () => void }[],
  title: string = say("menu", language),
): HTMLDialogElement {
  const dialog = make(
    "dialog",
    { "aria-label": title },
    make("h2", {}, title),
    make(
      "div",
      { class: "g-list" },
      ...entries.map(({ label, act }) =>
        make("button", {
          type: "button",
          onclick: () => {
            dialog.close();
            act();
          },
        }, label),
      ),
      make("button", { type: "button", onclick: () => dialog.close() }, say("close", language)),
    ),
  );
  return open(dialog);
}

const COUNTED: readonly (readonly [string, Word])[] = [
  ["in", "count_in"],
  ["out", "count_out"],
  ["ALLOW", "ALLOW"],
  ["ALLOW_REG", "ALLOW_REG"],
  ["CALL", "CALL"],
  ["DENY", "DENY"],
  ["override", "count_override"],
  ["turned", "count_turned"],
];

export function counts(of: Pick<Shift, "counts">, unsent: number, language: Language): HTMLElement {
  return make(
    "dl",
    { class: "g-counts" },
    ...COUNTED.flatMap(([name, word]) => [
      make("dt", {}, say(word, language)),
      make("dd", {}, String(of.counts[name] ?? 0)),
    ]),
    make("dt", {}, say("unsent", language)),
    make("dd", {}, String(unsent)),
  );
}
