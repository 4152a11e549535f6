import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { type Decision, decide, DIMENSIONS, type Dimension, type Situation } from "../src/pass/verdict";

interface Row {
  id: string;
  when: Partial<Record<Dimension, string[]>>;
  verdict: string;
  reason: string;
}
interface Table {
  dimensions: Record<Dimension, string[]>;
  rows: Row[];
  notes: { note: string; when: Row["when"] }[];
  reasons: Record<string, { zh: string; en: string; next_zh: string; next_en: string }>;
}

const table = JSON.parse(readFileSync(new URL("../../vectors/verdicts.json", import.meta.url), "utf8")) as Table;
const names = Object.keys(table.dimensions) as Dimension[];

function* situations(): Generator<Situation> {
  const counters = names.map(() => 0);
  for (;;) {
    yield Object.fromEntries(
      names.map((name, i) => [name, table.dimensions[name][counters[i] ?? 0]]),
    ) as unknown as Situation;
    let place = 0;
    for (; place < names.length; place++) {
      const name = names[place];
      if (name === undefined) throw new Error("no dimension");
      counters[place] = (counters[place] ?? 0) + 1;
      if ((counters[place] ?? 0) < table.dimensions[name].length) break;
      counters[place] = 0;
    }
    if (place === names.length) return;
  }
}

/** Conditions as pairs once, so that the whole table is read in seconds. */
function compiled(when: Row["when"]): (s: Situation) => boolean {
  const conditions = Object.entries(when).map(([name, values]) => [name as Dimension, new Set(values)] as const);
  return (s) => conditions.every(([name, values]) => values.has(s[name]));
}

interface Expected {
  id: string;
  verdict: string;
  reason: string;
  notes: string[];
}

/** First matching row wins; this knows nothing of passes. */
function interpreter({ rows, notes }: Pick<Table, "rows" | "notes">): (s: Situation) => Expected {
  const fitting = rows.map((row) => ({ ...row, fits: compiled(row.when) }));
  const noteRules = notes.map((rule) => ({ ...rule, fits: compiled(rule.when) }));
  return (s) => {
    const row = fitting.find((candidate) => candidate.fits(s));
    if (row === undefined) throw new Error("no row fits");
    const found = noteRules.filter((rule) => rule.fits(s)).map((rule) => rule.note);
    return { id: row.id, verdict: row.verdict, reason: row.reason, notes: [...new Set(found)] };
  };
}

function same(decision: Decision, expected: Expected): boolean {
  return (
    decision.verdict === expected.verdict &&
    decision.reason === expected.reason &&
    [...decision.notes].sort().join() === [...expected.notes].sort().join()
  );
}

/** The first situations in which the function says otherwise than these rules. */
function disagreements(
  rules: Pick<Table, "rows" | "notes">,
  among: Iterable<Situation>,
  each: (s: Situation, expected: Expected) => void = () => undefined,
): unknown[] {
  const interpreted = interpreter(rules);
  const wrong: unknown[] = [];
  for (const s of among) {
    const expected = interpreted(s);
    each(s, expected);
    const decision = decide(s);
    if (!same(decision, expected) && wrong.length < 5) wrong.push({ s, decision, expected });
  }
  return wrong;
}

/** Of every row, and of every note, a situation in which it counts; found by the comparison of all. */
const reached = new Map<string, Situation>();
const VERDICTS = ["ALLOW", "ALLOW_REG", "CALL", "DENY"];

/** The rules with one of them changed. */
function but<T>(rules: readonly T[], at: number, changed: T): T[] {
  return rules.map((rule, i) => (i === at ? changed : rule));
}

describe("the verdict", () => {
  let seen = 0;
  let wrong: unknown[] = [];

  beforeAll(() => {
    wrong = disagreements(table, situations(), (s, { id, notes }) => {
      seen += 1;
      for (const name of [id, ...notes]) if (!reached.has(name)) reached.set(name, s);
    });
  }, 60_000);

  test("has the dimensions of the table", () => {
    expect(DIMENSIONS).toEqual(table.dimensions);
  });

  test("agrees with the table for every combination, and every row is reached", () => {
    const size = names.reduce((product, name) => product * table.dimensions[name].length, 1);
    expect(wrong).toEqual([]);
    expect(seen).toBe(size);
    expect(table.rows.map((row) => row.id).filter((id) => !reached.has(id))).toEqual([]);
  });

  describe("one wrong row is found", () => {
    // The situations of the comparison above that the rows decide, one each; over all of them it takes minutes.
    const found = (changed: Partial<Table>): boolean => disagreements({ ...table, ...changed }, reached.values()).length > 0;

    test("and the right table is not", () => {
      expect(reached.size).toBeGreaterThan(table.rows.length);
      expect(found({})).toBe(false);
    });

    test.each(table.rows.map((row, i) => [row.id, row, i] as const))("in row %s", (_, row, i) => {
      const other = VERDICTS.filter((verdict) => verdict !== row.verdict).map((verdict) => ({ ...row, verdict }));
      expect(other.length).toBe(3);
      for (const wrong of [...other, { ...row, reason: row.reason === "OK" ? "LIST_OLD" : "OK" }]) {
        expect(found({ rows: but(table.rows, i, wrong) }), `${wrong.verdict} ${wrong.reason}`).toBe(true);
      }
    });

    test.each(table.notes.map((rule, i) => [`${i} ${rule.note}`, rule, i] as const))("in note %s", (_, rule, i) => {
      expect(found({ notes: but(table.notes, i, { ...rule, when: {} }) }), "written everywhere").toBe(true);
      expect(found({ notes: table.notes.filter((one) => one.note !== rule.note) }), "left out").toBe(true);
    });
  });

  test("keeps its promises over the whole table", () => {
    const broken: [string, Situation][] = [];
    for (const s of situations()) {
      const { verdict } = decide(s);
      const good = ["paper", "phone", "phone_stale", "found"].includes(s.proof);
      const running = s.slip === "order_running" || (good && s.slip === "none" && s.status === "before_end");
      const freed =
        ["release", "lift", "order_over"].includes(s.slip) ||
        (s.slip === "none" && ["paper", "phone"].includes(s.proof) && s.term === "in_term" && s.status === "after_end");
      const otherAct = s.act !== "none" || s.clearance === "not_cleared" || s.temperature === "high";
      const check = (claim: string, holds: boolean): void => {
        if (!holds && broken.length < 5) broken.push([claim, s]);
      };
      if (s.life_exit === "yes") {
        check("a life exit is ALLOW_REG", verdict === "ALLOW_REG");
        continue;
      }
      if (s.movement === "home_in" && good) check("nobody is locked out of home", verdict.startsWith("ALLOW"));
      if (freed && !otherAct) check("after the end everybody is free", verdict === "ALLOW");
      if (verdict === "DENY") check("DENY needs an order in force with a known end", running && s.clock === "sure");
      if (running && s.movement === "home_out") check("nobody is let out before the end", !verdict.startsWith("ALLOW"));
      const ownHome = s.movement === "home_in" || s.movement === "home_out";
      if (ownHome && good && s.status !== "before_end" && s.status !== "no_end" && s.act === "none" && s.slip === "none") {
        check("without an order nothing is harsher than ALLOW_REG at home", verdict.startsWith("ALLOW"));
      }
    }
    expect(broken).toEqual([]);
  });
});
