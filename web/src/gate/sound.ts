/** Sounds for tired ears. CALL and DENY sound the same: nobody in the queue learns which it was. */

import type { Verdict } from "../pass/verdict";

const TUNES: Readonly<Record<Verdict, readonly (readonly [number, number])[]>> = {
  ALLOW: [[880, 0.12]],
  ALLOW_REG: [
    [660, 0.12],
    [880, 0.12],
  ],
  CALL: [
    [330, 0.18],
    [330, 0.18],
  ],
  DENY: [
    [330, 0.18],
    [330, 0.18],
  ],
};

export function tuneOf(verdict: Verdict): readonly (readonly [number, number])[] {
  return TUNES[verdict];
}

let context: AudioContext | undefined;

/** Browsers allow sound only after a tap; call this from one. */
export function allowSound(): void {
  context ??= "AudioContext" in globalThis ? new AudioContext() : undefined;
  void context?.resume();
}

export function play(verdict: Verdict): void {
  if (context === undefined || context.state !== "running") return;
  let at = context.currentTime;
  for (const [pitch, seconds] of tuneOf(verdict)) {
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.25, at);
    volume.gain.exponentialRampToValueAtTime(0.001, at + seconds);
    tone.connect(volume).connect(context.destination);
    tone.start(at);
    tone.stop(at + seconds);
    at += seconds + 0.06;
  }
  navigator.vibrate?.(verdict === "ALLOW" ? 60 : [90, 60, 90]);
}
