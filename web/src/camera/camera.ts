/**
 * Reading QR codes from the camera, in a worker of its own (`reader.ts`): the page stays free for taps.
 *
 * 1280×720 is asked for and a square in the middle is read: in bad light what decides is how
 * much of the picture the code fills. Every third picture is read thoroughly.
 */

import type { Answer, Question } from "./reader";

/** The rest between two pictures: a phone that decodes all the time grows hot and dims its screen. */
const REST = 50;

let reader: Worker | undefined;
let asked = 0;
const waiting = new Map<number, (text: string | null) => void>();

/** Load the decoder; later calls cost nothing. */
export function prepareReader(): Worker {
  if (reader === undefined) {
    reader = new Worker(new URL("./reader.ts", import.meta.url));
    reader.addEventListener("message", ({ data }: MessageEvent<Answer>) => {
      waiting.get(data.number)?.(data.text);
      waiting.delete(data.number);
    });
  }
  return reader;
}

function read(picture: Question["picture"], thorough: boolean): Promise<string | null> {
  const number = ++asked;
  const question: Question = { number, picture, thorough };
  const answer = new Promise<string | null>((resolve) => waiting.set(number, resolve));
  prepareReader().postMessage(question, picture instanceof Blob ? [] : [picture.pixels]);
  return answer;
}

/** The text of the one QR code in a file, or null. */
export function readPicture(picture: Blob): Promise<string | null> {
  return read(picture, true);
}

export type CameraTrouble = "none" | "denied" | "busy";

export class Camera {
  #stream: MediaStream | undefined;
  #running = false;
  #count = 0;

  constructor(
    readonly video: HTMLVideoElement,
    readonly found: (text: string) => void,
  ) {}

  get running(): boolean {
    return this.#running;
  }

  /** The trouble, or null when pictures are being read. */
  async start(): Promise<CameraTrouble | null> {
    if (this.#running) return null;
    if (navigator.mediaDevices === undefined) return "none";
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({
        audio: false,
        video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 }, height: { ideal: 720 } },
      });
      prepareReader();
      this.video.srcObject = this.#stream;
      await this.video.play();
    } catch (error) {
      this.stop();
      const name = error instanceof DOMException ? error.name : "";
      if (name === "NotAllowedError") return "denied";
      return name === "NotFoundError" || name === "OverconstrainedError" ? "none" : "busy";
    }
    this.#running = true;
    void this.#loop();
    return null;
  }

  stop(): void {
    this.#running = false;
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = undefined;
    this.video.srcObject = null;
  }

  /** Light on or off; false where the camera has none. */
  async torch(on: boolean): Promise<boolean> {
    const [track] = this.#stream?.getVideoTracks() ?? [];
    const able = track?.getCapabilities?.() as { torch?: boolean } | undefined;
    if (track === undefined || able?.torch !== true) return false;
    await track.applyConstraints({ advanced: [{ torch: on } as MediaTrackConstraintSet] });
    return true;
  }

  async #loop(): Promise<void> {
    const canvas = document.createElement("canvas");
    const brush = canvas.getContext("2d", { willReadFrequently: true });
    if (brush === null) return;
    while (this.#running) {
      const { videoWidth: width, videoHeight: height } = this.video;
      if (width > 0 && !document.hidden) {
        const side = Math.min(width, height);
        canvas.width = side;
        canvas.height = side;
        brush.drawImage(this.video, (width - side) / 2, (height - side) / 2, side, side, 0, 0, side, side);
        const pixels = brush.getImageData(0, 0, side, side).data.buffer;
        this.#count += 1;
        const text = await read({ pixels, side }, this.#count % 3 === 0);
        if (this.#running && text !== null) this.found(text);
      }
      await new Promise((resolve) => setTimeout(resolve, REST));
    }
  }
}
