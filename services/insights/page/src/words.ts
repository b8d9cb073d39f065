// What codes are called. One place, so that another language is another file.

import type { Band, Benefit, Facet, Side } from "./types";

export const BANDS: readonly Band[] = ["strained", "watch", "too_early", "steady"];

// A sign beside each name: no band is told by its colour alone.
export const BAND: Record<Band, { name: string; sign: string; means: string }> = {
  strained: {
    name: "strained",
    sign: "◆",
    means: "trust is probably low: they could use help now",
  },
  watch: { name: "watch", sign: "▲", means: "something is slipping: worth a friendly question" },
  too_early: { name: "too early", sign: "○", means: "too little has happened to tell" },
  steady: { name: "steady", sign: "●", means: "promises are kept and they meet in rhythm" },
};

export const FACET: Record<Facet, { name: string; help: string }> = {
  E: { name: "Clear expectations", help: "Ask pairs to look at their agreement together again." },
  L: { name: "Listening", help: "Share the guide on active listening before the next sessions." },
  H: {
    name: "Honesty",
    help: "Remind everybody that a warning ahead costs nothing, and silence does.",
  },
  R: { name: "Reliability", help: "Suggest smaller promises with later dates, and fewer at once." },
  B: { name: "Boundaries", help: "Ask pairs to agree hours and channels that both can keep." },
  P: { name: "Rapport", help: "Suggest a session without an agenda, and a rhythm to meet in." },
};
export const FACETS: readonly Facet[] = ["E", "L", "H", "R", "B", "P"];

export const BENEFIT: Record<Benefit, { name: string; means: string; help: string }> = {
  clarity: {
    name: "Clarity and focus",
    means: "pairs whose goals are set and moving",
    help: "Have pairs write down one goal each.",
  },
  growth: {
    name: "Learning and growth",
    means: "pairs in which feedback was acted on",
    help: "Ask for one thing to try before the next session.",
  },
  problem_solving: {
    name: "Problem solving",
    means: "pairs that repaired a setback together",
    help: "Show pairs how to put a missed promise right.",
  },
  network: {
    name: "Stronger networks",
    means: "pairs with an introduction made",
    help: "Invite mentors to introduce somebody.",
  },
};
export const BENEFITS: readonly Benefit[] = ["clarity", "growth", "problem_solving", "network"];

const REASON: Record<string, string> = {
  agreement_signed: "both signed an agreement",
  agreement_reviewed: "the agreement was looked at again",
  session_held: "a session took place",
  session_missed: "did not come to a session",
  session_no_show: "did not come to a session",
  session_cancelled: "called a session off in time",
  session_cancelled_late: "called a session off at the last moment",
  commitment_kept: "a promise was kept",
  commitment_missed: "a promise was missed without a word",
  commitment_missed_warned: "a promise was missed, with a warning ahead",
  commitment_missed_told: "a promise was missed, and said so",
  commitment_renegotiated: "asked in time for a later date",
  commitment_shown_false: "claimed a promise was kept, and it was not",
  boundary_reminded: "was reminded of a boundary",
  boundary_breached: "a boundary was crossed",
  introduction_made: "introduced the other to their network",
  repair_promised: "promised to put something right",
  repair_delivered: "put something right",
  repair_broken: "did not put it right as promised",
  leave_started: "went on leave",
  leave_ended: "came back from leave",
  goal_set: "a goal was set",
  goal_progressed: "a goal moved",
  listened: "was listened to",
  honest: "spoke openly",
  prepared: "came prepared",
  at_ease: "felt at ease",
};

const STEP: Record<string, string> = {
  agreement_signed: "Sign an agreement together",
  agreement_reviewed: "Look at the agreement together again",
  session_held: "Meet once, and both confirm it",
  commitment_kept: "Keep one promise, however small",
  repair_delivered: "Put right what was missed",
};

export function reason(code: string): string {
  return REASON[code] ?? code.replaceAll("_", " ");
}

export function step(code: string): string {
  return STEP[code] ?? reason(code).replace(/^./, (first) => first.toUpperCase());
}

export function other(side: Side): Side {
  return side === "mentor" ? "mentee" : "mentor";
}

export const CHANNEL: Record<string, string> = {
  email: "Email",
  inbox: "In the app",
  chat: "Chat",
  webhook: "Webhook",
};
