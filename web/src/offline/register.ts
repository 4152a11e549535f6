/** Let the service worker keep this application, so that it starts without any server. */
export async function keepOffline(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  await navigator.serviceWorker.register("./worker.js", { scope: "./" }).catch(() => undefined);
}
