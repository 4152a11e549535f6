/** Looking up who shows nothing: what one door is, and which of its rows is meant. No store, no DOM. */

import { rowOf } from "../pass/statuslist";
import type { Held, StoreRow } from "../pass/scan";
import { sameIdentity } from "../pass/tokens";

/**
 * A door in the form of the roster (people/roster/checking.py): 07栋, 7号楼 and 7 are one, and so are 201, 201室 and 0201.
 * Full-width figures and dashes of an open input method are the same door.
 */
export function plainDoor(typed: string): string {
  const parts = typed
    .normalize("NFKC")
    .replace(/[\u2010-\u2015\u2212]/g, "-")
    .replace(/\s/g, "")
    .split("-");
  const room = (parts.pop() ?? "").replace(/(室|号|房)$/, "");
  return [...parts.map(numberOf), /^\d+$/.test(room) ? room.padStart(4, "0") : room].join("-");
}

function numberOf(part: string): string {
  const plain = part.replace(/^第/, "").replace(/(号楼|楼栋|栋|幢|楼|单元|座|号)$/, "");
  return plain.replace(/^0+/, "") || (plain === "" ? "" : "0");
}

/** One row for each person: of several the one that is neither over nor withdrawn, else the last that was. */
export function persons(rows: readonly StoreRow[]): StoreRow[] {
  const found: StoreRow[] = [];
  for (const row of rows) {
    const known = found.findIndex(({ identity }) => sameIdentity(identity, row.identity));
    const before = found[known];
    if (before === undefined) found.push(row);
    else if (lasts(row) > lasts(before)) found[known] = row;
  }
  return found;
}

function lasts(row: StoreRow): number {
  return row.endedAt ?? Number.POSITIVE_INFINITY;
}

/**
 * The row to decide by when a number was typed. A withdrawn pass says nothing of an order; another pass of the same
 * person does.
 */
export function speaking(typed: StoreRow, rows: readonly StoreRow[], { shards }: Held): StoreRow {
  if (typed.endedAt === null) return typed;
  const suspended = ({ listUri, index }: StoreRow): boolean => {
    const shard = listUri === null ? undefined : shards.get(listUri);
    return shard !== undefined && index !== null && rowOf(shard, index)?.status === "suspended";
  };
  return rows.find((row) => row.endedAt === null && sameIdentity(row.identity, typed.identity) && suspended(row)) ?? typed;
}
