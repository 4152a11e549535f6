/**
 * The gate's decision: a situation in, one of four verdicts out; no clock, no store, no DOM.
 *
 * Twin of `lianfang_pass.verdict`; both must agree with an interpreter of
 * `vectors/verdicts.json` for every combination. Read from the harshest verdict down: each
 * step asks whether anything justifies it. An ended term or a slip in effect counts as a
 * valid pass with evidence of now. DENY needs an order in force whose end is known and to come.
 */

export const DIMENSIONS = {
  life_exit: ["no", "yes"],
  movement: ["home_out", "home_in", "place_out", "place_in"],
  proof: ["paper", "phone", "phone_stale", "found", "bad", "none"],
  term: ["in_term", "expired", "not_yet"],
  status: ["valid", "before_end", "after_end", "no_end", "invalid", "refer"],
  slip: ["none", "release", "lift", "order_over", "order_running"],
  evidence: ["day", "three_days", "old"],
  clock: ["sure", "doubt"],
  keys: ["current", "expired"],
  act: ["none", "quota_used", "perimeter_listed", "perimeter_unlisted"],
  clearance: ["not_asked", "not_cleared"],
  temperature: ["normal", "high"],
} as const;

export type Dimension = keyof typeof DIMENSIONS;
export type Situation = { readonly [D in Dimension]: (typeof DIMENSIONS)[D][number] };

export type Verdict = "ALLOW" | "ALLOW_REG" | "CALL" | "DENY";

export type Reason =
  | "LIFE_EXIT"
  | "ORDER_IN_FORCE"
  | "CLOCK_IN_DOUBT"
  | "END_UNKNOWN"
  | "SIGNATURE_BAD"
  | "NO_PASS"
  | "QUOTA_USED"
  | "PERIMETER_CLOSED"
  | "NOT_CLEARED"
  | "TEMPERATURE"
  | "PASS_INVALID"
  | "PASS_REISSUE"
  | "PASS_EXPIRED"
  | "PASS_NOT_YET"
  | "CODE_STALE"
  | "NUMBER_ONLY"
  | "ORDER_HOMEWARD"
  | "RELEASE_SLIP"
  | "LIFT_SLIP"
  | "TERM_ENDED"
  | "LIST_OLD"
  | "LIST_DAY_OLD"
  | "KEYS_EXPIRED"
  | "OK"
  | "UNREADABLE";

export type Note = "LIST_OLD" | "CLOCK_IN_DOUBT" | "KEYS_EXPIRED" | "ASK_REFRESH" | "KEEP_CODE" | "TELL_COMMUNITY";

export interface Decision {
  readonly verdict: Verdict;
  readonly reason: Reason;
  readonly notes: readonly Note[];
}

const FREED_BY = { release: "RELEASE_SLIP", lift: "LIFT_SLIP", order_over: "TERM_ENDED" } as const;

/** What of the situation several steps ask about. */
interface Findings {
  /** The list speaks of this person: the pass could be read, and no slip says more. */
  readonly listed: boolean;
  /** An order in force whose end is known and to come. */
  readonly running: boolean;
  /** Set free by a slip or by an end that has come. */
  readonly freed: boolean;
}

function findings(s: Situation): Findings {
  const listed = s.slip === "none" && s.proof !== "bad" && s.proof !== "none";
  return {
    listed,
    running: s.slip === "order_running" || (listed && s.status === "before_end"),
    freed: s.slip in FREED_BY || (s.slip === "none" && s.status === "after_end"),
  };
}

export function decide(s: Situation): Decision {
  const f = findings(s);
  const [verdict, reason] = judged(s, f);
  return { verdict, reason, notes: notes(s, f) };
}

function judged(s: Situation, f: Findings): readonly [Verdict, Reason] {
  if (s.life_exit === "yes") return ["ALLOW_REG", "LIFE_EXIT"];
  if (f.running && holds(s.movement)) {
    // A clock that may be behind could show an end as still to come.
    return s.clock === "doubt" ? ["CALL", "CLOCK_IN_DOUBT"] : ["DENY", "ORDER_IN_FORCE"];
  }
  const call = whyCall(s, f);
  if (call !== null) return ["CALL", call];
  const register = whyRegister(s, f);
  if (register !== null) return ["ALLOW_REG", register];
  return ["ALLOW", whyFree(s)];
}

/** Where an order holds somebody: out of the own compound, into another place. */
function holds(movement: Situation["movement"]): boolean {
  return movement === "home_out" || movement === "place_in";
}

function whyCall(s: Situation, f: Findings): Reason | null {
  if (f.listed && s.status === "no_end" && s.movement !== "home_in") return "END_UNKNOWN";
  if (s.slip === "none" && s.proof === "bad") return "SIGNATURE_BAD";
  if (s.slip === "none" && s.proof === "none") return "NO_PASS";
  if (s.act === "quota_used" && s.movement === "home_out") return "QUOTA_USED";
  if (s.movement !== "home_in" && perimeterStops(s, f)) return "PERIMETER_CLOSED";
  if (s.movement === "place_in" && s.clearance === "not_cleared") return "NOT_CLEARED";
  if (s.movement === "place_in" && s.temperature === "high") return "TEMPERATURE";
  const elsewhere = s.movement === "place_in" || s.movement === "place_out";
  return elsewhere && f.listed ? faultOfPass(s) : null;
}

function whyRegister(s: Situation, f: Findings): Reason | null {
  if (f.running) return "ORDER_HOMEWARD";
  if (f.listed && s.status === "no_end") return "END_UNKNOWN";
  if (s.movement === "home_in" && perimeterStops(s, f)) return "PERIMETER_CLOSED";
  if (s.clearance === "not_cleared") return "NOT_CLEARED";
  if (s.temperature === "high") return "TEMPERATURE";
  const fault = f.listed ? faultOfPass(s) : null;
  if (fault !== null) return fault;
  // G-6: a known end that has come is ALLOW whatever the age of the lists or the state of
  // the clock; what follows only asks how far a valid pass can be believed today.
  if (f.freed) return null;
  if (s.clock === "doubt") return "CLOCK_IN_DOUBT";
  if (s.evidence === "old") return "LIST_OLD";
  if (s.evidence === "three_days") return "LIST_DAY_OLD";
  return s.keys === "expired" ? "KEYS_EXPIRED" : null;
}

function whyFree(s: Situation): Reason {
  if (s.slip !== "none" && s.slip !== "order_running") return FREED_BY[s.slip];
  return s.status === "after_end" ? "TERM_ENDED" : "OK";
}

function perimeterStops(s: Situation, f: Findings): boolean {
  if (s.act === "perimeter_unlisted") return true;
  return s.act === "perimeter_listed" && s.evidence !== "day" && !f.freed;
}

/** What is wrong with the pass itself. None of it is an order. */
function faultOfPass(s: Situation): Reason | null {
  if (s.status === "invalid") return "PASS_INVALID";
  if (s.status === "refer") return "PASS_REISSUE";
  if (s.term === "expired") return "PASS_EXPIRED";
  if (s.term === "not_yet") return "PASS_NOT_YET";
  if (s.proof === "phone_stale") return "CODE_STALE";
  return s.proof === "found" ? "NUMBER_ONLY" : null;
}

function notes(s: Situation, f: Findings): Note[] {
  const found: Note[] = [];
  if (s.evidence === "old") found.push("LIST_OLD");
  if (s.clock === "doubt") found.push("CLOCK_IN_DOUBT");
  if (s.keys === "expired") found.push("KEYS_EXPIRED");
  if (s.proof === "phone_stale" && s.slip === "none") found.push("ASK_REFRESH");
  if (s.proof === "bad") found.push("KEEP_CODE");
  if (f.running && s.life_exit === "no" && !holds(s.movement)) found.push("TELL_COMMUNITY");
  return found;
}
