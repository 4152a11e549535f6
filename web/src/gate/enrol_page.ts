/** The first page of a device: enrol by link, by scanning the desk's QR code, or by pasting. */

import { Camera } from "../camera/camera";
import { make } from "../dom";
import { Rejected } from "../pass/rejected";
import { enrol, type Invitation, readInvitation } from "./enrol";
import { Unreachable } from "./server";
import { type GateStore, StoreTrouble } from "./store";
import { type Language, say, type Word } from "./words";

export function enrolPage(
  root: HTMLElement,
  store: GateStore,
  language: Language,
  invitation: Invitation | null,
  already: boolean,
): void {
  const text = (word: Word): string => say(word, language);
  const status = make("p", { role: "alert", class: "g-reason" });
  const video = make("video", { playsinline: true, muted: true, "aria-hidden": "true" });
  const box = make("div", { class: "g-camera" });
  const camera = new Camera(video, (code) => {
    const found = readInvitation(code);
    if (found !== null) void run(found);
  });
  const begin = make("button", { type: "button", class: "g-start", onclick: () => void startCamera() }, text("start_camera"));
  box.append(video, begin);
  const input = make("textarea", { rows: "3", autocomplete: "off", name: "link" });
  const form = make(
    "form",
    { class: "g-form" },
    make("label", {}, text("enrol_paste"), input),
    make("button", { class: "is-main" }, text("enrol_do")),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const found = readInvitation(input.value);
    if (found === null) status.textContent = text("enrol_bad");
    else void run(found);
  });

  async function startCamera(): Promise<void> {
    const trouble = await camera.start();
    if (trouble === null) box.replaceChildren(video, make("div", { class: "g-frame" }));
    else status.textContent = text(`camera_${trouble}`);
  }

  let running = false;
  async function run(found: Invitation): Promise<void> {
    if (running) return;
    running = true;
    status.textContent = text("enrolling");
    try {
      await enrol(found, store);
      camera.stop();
      // The one-time code must not stay in the address or the history.
      location.replace(location.pathname);
    } catch (error) {
      running = false;
      console.error(error);
      status.textContent = text(troubleOf(error));
    }
  }

  root.replaceChildren(
    make(
      "main",
      { class: "g-page" },
      make("h1", {}, text("enrol_title")),
      make("p", {}, text("enrol_text")),
      status,
      box,
      form,
      already &&
        make("button", { type: "button", class: "g-small", onclick: () => location.replace(location.pathname) }, text("cancel")),
    ),
  );
  // A link opened by hand enrols at once; the fragment says which gate, the answer is checked against it.
  if (invitation !== null) void run(invitation);
}

function troubleOf(error: unknown): Word {
  if (error instanceof Unreachable) return "enrol_offline";
  if (error instanceof StoreTrouble) return "enrol_unsent";
  if (error instanceof Rejected) {
    if (error.code === "used") return "enrol_used";
    if (error.code === "refused") return "enrol_refused";
    return "enrol_root";
  }
  return "storage_trouble";
}
