/**
 * Reading QR codes from the camera with zxing-wasm, whose wasm is our own file beside the script.
 *
 * 1280×720 is asked for and a square in the middle is read: in bad light what decides is how
 * much of the picture the code fills. Every third picture is read with `tryHarder`, which
 * reads dim and blurred codes and costs twice the time.
 */

import { prepareZXingModule, readBarcodes, type ReaderOptions } from "zxing-wasm/reader";
import wasmUrl from "zxing-wasm/reader/zxing_reader.wasm?url";

const QUICK: ReaderOptions = {
  formats: ["QRCode"],
  maxNumberOfSymbols: 1,
  tryHarder: false,
  tryRotate: true,
  tryInvert: false,
  tryDownscale: false,
};
const THOROUGH: ReaderOptions = { ...QUICK, tryHarder: true, tryDownscale: true };

let prepared: Promise<unknown> | undefined;

/** Load the decoder; later calls cost nothing. */
export function prepareReader(): Promise<unknown> {
  prepared ??= prepareZXingModule({
    overrides: { locateFile: (path: string) => (path.endsWith(".wasm") ? wasmUrl : path) },
    fireImmediately: true,
  });
  return prepared;
}

/** The text of the one QR code in a picture, or null. */
export async function readPicture(picture: ImageData | Blob): Promise<string | null> {
  await prepareReader();
  const [found] = await readBarcodes(picture, THOROUGH);
  return found?.isValid === true ? found.text : null;
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
      await prepareReader();
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
      const began = performance.now();
      const { videoWidth: width, videoHeight: height } = this.video;
      if (width > 0 && !document.hidden) {
        const side = Math.min(width, height);
        canvas.width = side;
        canvas.height = side;
        brush.drawImage(this.video, (width - side) / 2, (height - side) / 2, side, side, 0, 0, side, side);
        this.#count += 1;
        const options = this.#count % 3 === 0 ? THOROUGH : QUICK;
        const [code] = await readBarcodes(brush.getImageData(0, 0, side, side), options);
        if (this.#running && code?.isValid === true) this.found(code.text);
      }
      // A slow phone keeps half of its time for taps and verdicts, whatever a picture costs it.
      const pause = Math.max(40, performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}
