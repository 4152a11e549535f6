/**
 * The worker that reads QR codes with zxing-wasm, whose wasm is our own file beside the script.
 *
 * The only script that may run WebAssembly: its own answer carries the policy that says so.
 */

import { prepareZXingModule, readBarcodes, type ReaderOptions } from "zxing-wasm/reader";
import wasmUrl from "zxing-wasm/reader/zxing_reader.wasm?url";

/** One picture to read: pixels whose buffer is handed over, or a file. */
export interface Question {
  readonly number: number;
  readonly picture: { readonly pixels: ArrayBuffer; readonly side: number } | Blob;
  /** Dim and blurred codes too, for twice the time. */
  readonly thorough: boolean;
}

export interface Answer {
  readonly number: number;
  readonly text: string | null;
}

const QUICK: ReaderOptions = {
  formats: ["QRCode"],
  maxNumberOfSymbols: 1,
  tryHarder: false,
  tryRotate: true,
  tryInvert: false,
  tryDownscale: false,
};
const THOROUGH: ReaderOptions = { ...QUICK, tryHarder: true, tryDownscale: true };

declare const self: {
  addEventListener(type: "message", listener: (event: MessageEvent<Question>) => void): void;
  postMessage(answer: Answer): void;
};

void prepareZXingModule({
  overrides: { locateFile: (path: string) => (path.endsWith(".wasm") ? wasmUrl : path) },
  fireImmediately: true,
});

async function read({ number, picture, thorough }: Question): Promise<void> {
  let text: string | null = null;
  try {
    const given =
      picture instanceof Blob ? picture : new ImageData(new Uint8ClampedArray(picture.pixels), picture.side, picture.side);
    const [found] = await readBarcodes(given, thorough ? THOROUGH : QUICK);
    text = found?.isValid === true ? found.text : null;
  } catch (error) {
    console.error(error);
  }
  self.postMessage({ number, text });
}

self.addEventListener("message", (event) => void read(event.data));
