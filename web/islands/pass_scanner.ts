/**
 * A button beside a text field that fills the field from the camera.
 *
 * The page's form does the rest; without camera or script the number is typed.
 */

import { Camera } from "../src/camera/camera";
import { make } from "../src/dom";

export interface ScannerData {
  /** Id of the field that is filled. */
  readonly field: string;
  /** Send the form once a code was read. */
  readonly submit: boolean;
}

const WORDS = {
  zh: { scan: "扫码", stop: "停止", none: "没有可用的摄像头", denied: "未获准使用摄像头", busy: "摄像头被占用" },
  en: { scan: "Scan", stop: "Stop", none: "There is no camera", denied: "The camera is not allowed", busy: "The camera is in use" },
} as const;

/** @throws: the page's data are not those of this island */
export function parse(data: unknown): ScannerData {
  if (typeof data !== "object" || data === null) throw new Error("no data");
  const { field, submit } = data as Record<string, unknown>;
  if (typeof field !== "string" || typeof submit !== "boolean") throw new Error("no field");
  return { field, submit };
}

export function mount(element: HTMLElement, raw: unknown): void {
  const data = parse(raw);
  const words = document.documentElement.lang.startsWith("en") ? WORDS.en : WORDS.zh;
  const field = document.getElementById(data.field);
  if (!(field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement)) throw new Error(`no field ${data.field}`);
  const video = make("video", { playsinline: true, muted: true, "aria-hidden": "true", class: "lf-camera", hidden: true });
  const status = make("p", { role: "status", class: "lf-error" });
  const button = make("button", { type: "button", class: "lf-button is-quiet" }, words.scan);
  const show = (running: boolean): void => {
    button.textContent = running ? words.stop : words.scan;
    video.hidden = !running;
  };
  const camera = new Camera(video, (text) => {
    camera.stop();
    show(false);
    field.value = text;
    field.dispatchEvent(new Event("change", { bubbles: true }));
    if (data.submit) field.form?.requestSubmit();
  });
  button.addEventListener("click", () => {
    status.textContent = "";
    if (camera.running) {
      camera.stop();
      show(false);
      return;
    }
    void camera.start().then((trouble) => {
      show(trouble === null);
      if (trouble !== null) status.textContent = words[trouble];
    });
  });
  element.append(button, video, status);
}
