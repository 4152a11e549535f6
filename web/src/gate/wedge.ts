/**
 * Hand scanners that type. Their keys are read raw, because an open Chinese input method turns
 * the key of a letter into "Process" and would eat the code; the physical key says what it was.
 */

const SHIFTED: Readonly<Record<string, string>> = {
  Digit4: "$",
  Digit5: "%",
  Digit8: "*",
  Equal: "+",
  Semicolon: ":",
};
const PLAIN: Readonly<Record<string, string>> = {
  Minus: "-",
  Period: ".",
  Slash: "/",
  Space: " ",
  NumpadAdd: "+",
  NumpadSubtract: "-",
  NumpadMultiply: "*",
  NumpadDivide: "/",
  NumpadDecimal: ".",
};
const ALPHABET = /^[0-9A-Z $%*+\-./:]$/;
const PASS = "LF1:";
/** The shortest code on any goods has eight figures; a hand does not type four keys and Enter in such a hurry. */
const SHORTEST = 4;
/** No pass is shorter; what falls silent before it was a hand. */
const SHORTEST_PASS = 100;
/** Bluetooth scanners take up to 50 ms a key; a person who types ten keys does it slower than this. */
const LONGEST_PAUSE = 300;
/** Once it is clear that a code of ours is being typed, a busy device gets more time. */
const LONGEST_PAUSE_WITHIN = 1500;

/** The character of one key press, as the scanner meant it; null for a key that is none. */
export function characterOf(event: Pick<KeyboardEvent, "key" | "code" | "shiftKey">): string | null {
  const typed = event.key.length === 1 ? event.key.toUpperCase() : "";
  if (ALPHABET.test(typed)) return typed;
  const { code } = event;
  if (/^Key[A-Z]$/.test(code)) return code.slice(3);
  if (event.shiftKey) return SHIFTED[code] ?? null;
  if (/^(?:Digit|Numpad)[0-9]$/.test(code)) return code.slice(-1);
  return PLAIN[code] ?? null;
}

type Field = HTMLInputElement | HTMLTextAreaElement;

/**
 * Calls `scanned` for every code that a scanner types. Returns how to stop.
 *
 * Also while a field has the focus: what begins like a pass and comes as fast as no hand types is
 * taken out of the field again. A scanner that sends no Enter is understood when it falls silent.
 */
export function listenForScanner(target: Document, scanned: (text: string) => void): () => void {
  let text = "";
  let last = 0;
  let before: { readonly field: Field; readonly value: string } | null = null;
  let silence: ReturnType<typeof setTimeout> | undefined;
  const done = (): void => {
    clearTimeout(silence);
    const whole = text;
    text = "";
    if (before !== null) before.field.value = before.value;
    before = null;
    scanned(whole);
  };
  const pressed = (event: KeyboardEvent): void => {
    const focus = event.target;
    const field = focus instanceof HTMLInputElement || focus instanceof HTMLTextAreaElement ? focus : null;
    const ours = text.startsWith(PASS);
    if (event.timeStamp - last > (ours ? LONGEST_PAUSE_WITHIN : LONGEST_PAUSE)) text = "";
    last = event.timeStamp;
    clearTimeout(silence);
    if (event.code === "Enter" || event.code === "NumpadEnter" || event.code === "Tab") {
      if (field === null ? text.length >= SHORTEST : text.startsWith(PASS)) {
        event.preventDefault();
        event.stopPropagation();
        done();
      }
      text = "";
      return;
    }
    const character = characterOf(event);
    if (character === null) return;
    if (text === "") before = field === null ? null : { field, value: field.value };
    text += character;
    // A button that has the focus must not take the scanner's space for a press.
    if (field === null ? text.length > 2 : text.startsWith(PASS)) event.preventDefault();
    if (text.startsWith(PASS) && text.length > SHORTEST_PASS) silence = setTimeout(done, LONGEST_PAUSE_WITHIN);
  };
  target.addEventListener("keydown", pressed, { capture: true });
  return () => {
    clearTimeout(silence);
    target.removeEventListener("keydown", pressed, { capture: true });
  };
}
