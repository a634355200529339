// The state of a score field: its mixture, its level, its walkers, and how they go on.

import { learnedScores, newLearner, trainStep } from "./learned.js";
import { newMixture, noised, scoresInto } from "./mixture.js";
import { exactShares, geometric, langevinStep, newWalkers, scatter } from "./walk.js";
import { withBlob } from "../gan_stage/data.js";
import { randomness } from "../js/random.js";

export const POSITIONS = 48; // of the slider of levels, the first for σ = 0
export const MOST_MODES = 8;
const [MOST_POINTS, BLUR, APART, ZOOM] = [400, 0.045, 0.4, 1.6];

export function newField(given) {
  const field = { given, speed: 5, relative: given.relative, mode: "still", drawing: false, drawn: [], groups: [] };
  Object.assign(field, { source: "exact", training: false });
  Object.assign(field, { brush: randomness(given.seed + 1), cursor: given.centre, visible: true, frames: 0 });
  field.walkers = newWalkers(given.count, given.seed);
  useGiven(field);
  setLevel(field, given.sigma);
  restart(field);
  advance(field, given.steps * 2, Infinity);
  return field;
}

/** The mixture that the page was given. */
export function useGiven(field) {
  const { means, stds, weights, largest, smallest } = field.given;
  const modes = means.map((_, k) => (means.length > MOST_MODES ? 0 : k));
  use(field, newMixture(means, stds, weights, modes), largest, smallest, "given");
}

/** The reader's points, each a component of equal weight: their exact score, as spread as the pen is wide. */
export function useDrawn(field) {
  const { drawn, groups, given } = field;
  const blur = BLUR * given.extent;
  const mixture = newMixture(drawn, drawn.map(() => blur), drawn.map(() => 1 / drawn.length), groups);
  use(field, mixture, 2 * given.extent, blur, "drawn");
}

function use(field, mixture, largest, smallest, set) {
  const levels = geometric(largest, smallest, field.given.levels);
  const slide = [0, ...geometric(Math.min(smallest, mixture.finest) / 4, largest, POSITIONS - 1)];
  const learner = newLearner(mixture, slide[1], largest, field.given.seed + 2);
  Object.assign(field, { mixture, levels, slide, set, learner, training: false });
}

/** The level σ, whatever follows from it, and a window in which the noised data lie. */
export function setLevel(field, sigma) {
  const { mixture, given } = field;
  Object.assign(field, { sigma, smooth: noised(mixture, sigma), extent: Math.max(given.extent, ZOOM * sigma) });
  field.exact = exactShares(mixture, sigma);
}

/** The score that is followed at the points (n × 2), into `out`: the exact one, or the network's, whose least level is above 0. */
export function scoresOf({ source, smooth, learner, sigma, slide }, points, out) {
  if (source === "exact") scoresInto(smooth, points, out);
  else learnedScores(learner, points, Math.max(sigma, slide[1]), out);
}

/** How far the network's score is from the exact one where the walkers are, in units of 1/√(s² + σ²): a root mean square. */
export function scoreError({ smooth, learner, walkers, sigma, slide, mixture }) {
  const level = Math.max(sigma, slide[1]);
  const [exact, learned] = [new Float64Array(walkers.at.length), new Float64Array(walkers.at.length)];
  scoresInto(level === sigma ? smooth : noised(mixture, level), walkers.at, exact);
  learnedScores(learner, walkers.at, level, learned);
  const squares = exact.reduce((sum, value, k) => sum + (value - learned[k]) ** 2, 0);
  return Math.sqrt(squares / walkers.at.length) * Math.hypot(mixture.finest, level);
}

/** Trains the network for `budget` ms. */
export function trainFor({ learner, mixture }, budget) {
  const began = performance.now();
  do trainStep(learner, mixture);
  while (performance.now() - began < budget);
}

/** The place on the slider that is nearest to σ. */
export function positionOf({ slide, sigma }) {
  const away = slide.map((level, k) => (k && sigma ? Math.abs(Math.log(level / sigma)) : k || sigma ? Infinity : 0));
  return away.indexOf(Math.min(...away));
}

/** η = r max(σ, s)²: as long as the narrowest Gaussian of the mixture, s, allows where there is less noise than that. */
export const stepLength = ({ relative, sigma, mixture }) => relative * Math.max(sigma, mixture.finest) ** 2;

export function restart(field) {
  scatter(field.walkers, field.given.extent, field.given.centre);
  Object.assign(field, { steps: 0, left: 0, rung: 0 });
}

/** From new walkers at the largest level on. */
export function beginAnnealing(field) {
  restart(field);
  Object.assign(field, { mode: "anneal", rung: 0, left: field.given.steps });
  setLevel(field, field.levels[0]);
}

/** So many steps, or as many as `budget` ms allow; an annealed walk goes down the levels, and ends in mode "still". */
export function advance(field, steps, budget) {
  const began = performance.now();
  for (let k = 0; k < steps && performance.now() - began < budget; k++) {
    langevinStep(field.walkers, (points, out) => scoresOf(field, points, out), stepLength(field));
    field.steps += 1;
    if (field.mode === "anneal" && --field.left === 0) {
      field.rung += 1;
      if (field.rung === field.levels.length) return void (field.mode = "still");
      field.left = field.given.steps;
      setLevel(field, field.levels[field.rung]);
    }
  }
}

/** A few points more about `place`; they begin a new mode where no other points are near and there are not too many. */
export function drawBlob(field, place, count) {
  const { drawn, groups, given, brush } = field;
  const away = drawn.map(([x, y]) => Math.hypot(x - place[0], y - place[1]));
  const nearby = away.length ? away.indexOf(Math.min(...away)) : -1;
  const known = new Set(groups).size;
  const group = nearby < 0 || (away[nearby] > APART * given.extent && known < MOST_MODES) ? known : groups[nearby];
  const blob = withBlob(new Float32Array(0), place, Math.min(count, MOST_POINTS - drawn.length), brush, given.extent, given.centre);
  for (let k = 0; k < blob.length; k += 2) {
    drawn.push([blob[k], blob[k + 1]]);
    groups.push(group);
  }
  field.cursor = place;
  useDrawn(field);
  setLevel(field, field.sigma);
}

/** Of each mode the component that is nearest to its mean: [[x, y], …]. */
export function middles({ mixture: { x, y, weights, modes } }) {
  const sums = [];
  modes.forEach((mode, k) => {
    const sum = (sums[mode] ??= [0, 0, 0]);
    [x[k], y[k], 1].forEach((value, axis) => (sum[axis] += weights[k] * value));
  });
  return sums.map((sum, own) => {
    const [mx, my] = [sum[0] / sum[2], sum[1] / sum[2]];
    const away = modes.map((mode, k) => (mode === own ? Math.hypot(x[k] - mx, y[k] - my) : Infinity));
    const k = away.indexOf(Math.min(...away));
    return [x[k], y[k]];
  });
}
