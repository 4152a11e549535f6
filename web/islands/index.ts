/**
 * Mounts the islands of a page.
 *
 * An island is an element `<div data-island="pass_scanner">` whose data, if any, stand in a
 * `<script type="application/json">` inside it. Each island is one file that exports
 * `mount(element, data)` and checks its data where they enter. A page is complete without
 * them: what an island adds is only what must be live.
 */

type Mount = (element: HTMLElement, data: unknown) => void | Promise<void>;

const ISLANDS: Readonly<Record<string, () => Promise<{ mount: Mount }>>> = {
  pass_scanner: () => import("./pass_scanner"),
  rotating_code: () => import("./rotating_code"),
  slips: () => import("./slips"),
};

async function mountOne(element: HTMLElement): Promise<void> {
  const name = element.dataset["island"] ?? "";
  const load = ISLANDS[name];
  if (load === undefined) throw new Error(`no island is called ${name}`);
  const text = element.querySelector('script[type="application/json"]')?.textContent;
  const island = await load();
  await island.mount(element, text ? (JSON.parse(text) as unknown) : undefined);
}

for (const element of document.querySelectorAll<HTMLElement>("[data-island]")) {
  void mountOne(element);
}
