/**
 * The service worker of an application: keeps all its files, serves them without network.
 *
 * The build writes the list of files with their hashes into this script. A new version is kept
 * whole, each file checked against its hash, before it takes over: a captive portal's page or
 * half a download never replaces a file. Files that did not change are copied, not fetched.
 *
 * Registered for pages elsewhere too, it sends whoever opens one of them without network to the application.
 */

export {};

declare const self: {
  addEventListener(type: "install" | "activate", listener: (event: ExtendableEvent) => void): void;
  addEventListener(type: "fetch", listener: (event: FetchEvent) => void): void;
  skipWaiting(): Promise<void>;
  readonly location: { readonly href: string };
  readonly clients: { claim(): Promise<void> };
};
interface ExtendableEvent {
  waitUntil(work: Promise<unknown>): void;
}
interface FetchEvent {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}

declare const __FILES__: readonly { readonly url: string; readonly hash: string }[];
declare const __VERSION__: string;
declare const __APP__: string;

const PREFIX = `lianfang-${__APP__}-`;
const CACHE = PREFIX + __VERSION__;
/** The page that answers for the folder itself. */
const INDEX = "index.html";
/** Where the application lies, whatever pages this worker answers for. */
const FOLDER = new URL("./", self.location.href);
const KNOWN = new Set(__FILES__.map(({ url }) => url));

async function hashOf(bytes: ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return btoa(String.fromCharCode(...digest))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .slice(0, 16);
}

async function keepAll(): Promise<void> {
  const cache = await caches.open(CACHE);
  const older = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(__FILES__.map((file) => keepOne(cache, older, file)));
}

async function keepOne(cache: Cache, older: readonly string[], file: { url: string; hash: string }): Promise<void> {
  const address = new URL(file.url, FOLDER).href;
  for (const name of older) {
    const held = await (await caches.open(name)).match(address);
    if (held !== undefined && (await hashOf(await held.clone().arrayBuffer())) === file.hash) {
      await cache.put(address, held);
      return;
    }
  }
  const answer = await fetch(address, { cache: "no-store", redirect: "error" });
  const bytes = await answer.clone().arrayBuffer();
  if (!answer.ok || (await hashOf(bytes)) !== file.hash) throw new Error(`${file.url} is not the file of this version`);
  await cache.put(address, answer);
}

async function dropOlder(): Promise<void> {
  for (const name of await caches.keys()) {
    if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
  }
  await self.clients.claim();
}

self.addEventListener("install", (event) => event.waitUntil(keepAll().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(dropOlder()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (!request.url.startsWith(FOLDER.href)) {
    if (request.mode === "navigate") event.respondWith(fetch(request).catch(() => Response.redirect(FOLDER.href)));
    return;
  }
  const path = new URL(request.url).pathname.slice(FOLDER.pathname.length);
  const url = path === "" ? INDEX : path;
  if (!KNOWN.has(url)) return;
  event.respondWith(
    caches
      .open(CACHE)
      .then((cache) => cache.match(new URL(url, FOLDER).href))
      .then((held) => held ?? fetch(request)),
  );
});
