// The state of the explorer: the target, the start, three Gaussians, and the descents while they run.

import { KINDS, bestFit, divergence, hillLeft, stepFrom, targetOf } from "./fits.js";
import { placeWords, standing } from "./picture.js";

const ENOUGH = 1e-6;
const MOST = 4000;

/** The best fits of a target, shown until a descent starts. */
export function newState(a, w, start) {
  const target = targetOf(a, w);
  const best = KINDS.map((_, kind) => bestFit(kind, target));
  return { target, best, start, places: best.map(({ place }) => place), mode: "best", steps: 0, ended: [] };
}

/** All three at the start, no step made. */
export function atStart(state) {
  const begin = [state.start[0], Math.log(state.start[1])];
  return { ...state, places: KINDS.map(() => begin), mode: "start", steps: 0, ended: KINDS.map(() => false) };
}

/** One step of each descent that has not ended. */
export function stepped(state) {
  const from = state.mode === "best" ? atStart(state) : state;
  const moves = from.places.map((place, kind) => (from.ended[kind] ? [place, 0] : stepFrom(kind, from.target, place)));
  const ended = moves.map(([, length]) => length < ENOUGH || from.steps + 1 >= MOST);
  const mode = ended.every(Boolean) ? "ended" : "under way";
  return { ...from, places: moves.map(([place]) => place), ended, mode, steps: from.steps + 1 };
}

/** Steps a frame: one at first, then more, since the last thousandth takes longest. */
export function stepsAFrame(steps) {
  if (steps < 100) return 1;
  return steps < 300 ? 4 : 20;
}

/** What each row of the table says: [m, σ, divergence now, the best one, where the best stands]. */
export function rowsOf({ target, best, places }) {
  return places.map((place, kind) => {
    const value = divergence(kind, target, place)[0];
    return { place, value, best: best[kind].value, stands: standing(hillLeft(target, best[kind].place)) };
  });
}

function endWords(state, kind) {
  const { target, best, places } = state;
  const value = divergence(kind, target, places[kind])[0];
  const where = `${KINDS[kind]} ends at ${placeWords(places[kind])}`;
  const as = value < best[kind].value + 1e-4 ? "its best" : `at ${value.toFixed(3)} where ${best[kind].value.toFixed(3)} is possible`;
  return `${where[0].toUpperCase()}${where.slice(1)}, ${as}.`;
}

export function startWords({ start }) {
  return placeWords([start[0], Math.log(start[1])]);
}

/** The state in words, for all readers and for a screen reader. */
export function statusOf(state) {
  const { target, best, mode, steps } = state;
  if (mode === "best") {
    return `The best of each: ${best.map(({ place }, kind) => `${KINDS[kind]} on ${standing(hillLeft(target, place))}`).join(", ")}.`;
  }
  if (mode === "start") return `All three start at ${startWords(state)}. Press Play.`;
  if (mode === "under way") return `After ${steps} ${steps === 1 ? "step" : "steps"}.`;
  return `After ${steps} steps. ${KINDS.map((_, kind) => endWords(state, kind)).join(" ")}`;
}
