/**
 * Let the service worker keep an application, so that it starts without any server.
 *
 * @param folder where the application lies, its worker in it
 * @param pages whose opening without network leads to the application; the application's own, unless said
 */
export async function keepOffline(folder: string = "./", pages: string = folder): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  await navigator.serviceWorker.register(`${folder}worker.js`, { scope: pages }).catch(() => undefined);
}
