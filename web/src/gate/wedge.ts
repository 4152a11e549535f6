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

/** Calls `scanned` for every code that a scanner types while no field has the focus. Returns how to stop. */
export function listenForScanner(target: Document, scanned: (text: string) => void): () => void {
  let text = "";
  let last = 0;
  const pressed = (event: KeyboardEvent): void => {
    const focus = event.target;
    if (focus instanceof HTMLInputElement || focus instanceof HTMLTextAreaElement || focus instanceof HTMLSelectElement) return;
    if (event.timeStamp - last > (text.startsWith("LF1:") ? LONGEST_PAUSE_WITHIN : LONGEST_PAUSE)) text = "";
    last = event.timeStamp;
    if (event.code === "Enter" || event.code === "NumpadEnter" || event.code === "Tab") {
      if (text.length > 8) {
        event.preventDefault();
        scanned(text);
      }
      text = "";
      return;
    }
    const character = characterOf(event);
    if (character === null) return;
    text += character;
    // A button that has the focus must not take the scanner's space for a press.
    if (text.length > 2) event.preventDefault();
  };
  target.addEventListener("keydown", pressed, { capture: true });
  return () => target.removeEventListener("keydown", pressed, { capture: true });
}
