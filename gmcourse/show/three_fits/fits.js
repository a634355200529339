// One Gaussian [mean, log_std] before two hills: three divergences, their slopes and minima, as in gmcourse.taxonomy.divergences.

export const KINDS = ["forward KL", "reverse KL", "Jensen–Shannon"];
export const RATES = [0.5, 0.5, 2];
const LONGEST = 0.1;
const FAR = 9;
const FINE = 0.1;
const HALF_LOG_TAU = Math.log(2 * Math.PI) / 2;

function logNormal(x, mean, logStd) {
  return -0.5 * ((x - mean) * Math.exp(-logStd)) ** 2 - logStd - HALF_LOG_TAU;
}

function logSum(one, other) {
  return Math.max(one, other) + Math.log1p(Math.exp(-Math.abs(one - other)));
}

/** ln p(x) of p = w N(−a, 1) + (1 − w) N(a, 1). */
function logHills(x, { a, w }) {
  return logSum(Math.log(w) + logNormal(x, -a, 0), Math.log1p(-w) + logNormal(x, a, 0));
}

export function hillsAt(x, target) {
  return Math.exp(logHills(x, target));
}

export function gaussianAt(x, [mean, logStd]) {
  return Math.exp(logNormal(x, mean, logStd));
}

/** Nodes and weights [x, weight, ln of the density] of means under N(mean, e^{2 logStd}), times `share`: midpoints. */
function nodesOf(mean, logStd, share = 1) {
  const std = Math.exp(logStd);
  const count = Math.ceil((2 * FAR * std) / (FINE * Math.min(1, std)));
  const width = (2 * FAR * std) / count;
  return Array.from({ length: count }, (_, i) => {
    const x = mean - FAR * std + (i + 0.5) * width;
    const density = logNormal(x, mean, logStd);
    return [x, share * width * Math.exp(density), density];
  });
}

/** The two hills with the nodes of means under p. */
export function targetOf(a, w) {
  const parts = [...nodesOf(-a, 0, w), ...nodesOf(a, 0, 1 - w)];
  return { a, w, nodes: parts.map(([x, weight]) => [x, weight, logHills(x, { a, w })]) };
}

/** Mean under p of ln p − ln other(x). */
function excess(target, other) {
  return target.nodes.reduce((sum, [x, weight, logP]) => sum + weight * (logP - other(x)), 0);
}

/** Sums of weight · term(x, ln q) over q's nodes, plain and with the score in the mean and in log_std. */
function underModel([mean, logStd], term) {
  const std = Math.exp(logStd);
  const sums = [0, 0, 0];
  for (const [x, weight, logQ] of nodesOf(mean, logStd)) {
    const z = (x - mean) / std;
    const part = weight * term(x, logQ);
    sums[0] += part;
    sums[1] += (part * z) / std;
    sums[2] += part * (z * z - 1);
  }
  return sums;
}

function forward(target, [mean, logStd]) {
  const std = Math.exp(logStd);
  let [first, second] = [0, 0];
  for (const [x, weight] of target.nodes) {
    const z = (x - mean) / std;
    first -= (weight * z) / std;
    second -= weight * (z * z - 1);
  }
  return [excess(target, (x) => logNormal(x, mean, logStd)), first, second];
}

function jensenShannon(target, place) {
  const middle = (x, logQ) => logSum(logHills(x, target), logQ) - Math.LN2;
  const [value, first, second] = underModel(place, (x, logQ) => logQ - middle(x, logQ));
  return [(excess(target, (x) => middle(x, logNormal(x, ...place))) + value) / 2, first / 2, second / 2];
}

/** The divergence number `kind` of [mean, log_std], and its slope in both: nats. */
export function divergence(kind, target, place) {
  if (kind === 0) return forward(target, place);
  if (kind === 1) return underModel(place, (x, logQ) => logQ - logHills(x, target));
  return jensenShannon(target, place);
}

/**
 * One step of gradient descent, no longer than 0.1, halved until the divergence falls by a quarter of what the slope
 * promises; with it the slope's length where it began.
 */
export function stepFrom(kind, target, place) {
  const [value, ...slope] = divergence(kind, target, place);
  const length = Math.hypot(...slope);
  let rate = Math.min(RATES[kind], LONGEST / Math.max(length, 1e-30));
  const after = () => place.map((part, axis) => part - rate * slope[axis]);
  for (let halved = 0; halved < 20 && divergence(kind, target, after())[0] > value - (rate * length ** 2) / 4; halved++) rate /= 2;
  return [after(), length];
}

/** Where to go from a place: Newton's step where the curvature is positive, else down the slope; at most 1 long. */
function direction(kind, target, place, slope) {
  const h = 1e-4;
  const [a, b] = [0, 1].map((axis) => {
    const [after, before] = [h, -h].map((d) => divergence(kind, target, place.map((v, i) => (i === axis ? v + d : v))));
    return [(after[1] - before[1]) / (2 * h), (after[2] - before[2]) / (2 * h)];
  });
  const cross = (a[1] + b[0]) / 2;
  const det = a[0] * b[1] - cross * cross;
  const convex = det > 0 && a[0] > 0;
  const [g, k] = slope;
  const move = convex ? [(cross * k - b[1] * g) / det, (cross * g - a[0] * k) / det] : [-g, -k];
  const long = Math.hypot(...move);
  return move.map((part) => part * (convex ? Math.min(1, 1 / long) : 1 / long));
}

function minimumFrom(kind, target, start) {
  let place = start;
  let [value, ...slope] = divergence(kind, target, place);
  for (let round = 0; round < 60 && Math.hypot(...slope) > 1e-8; round++) {
    const move = direction(kind, target, place, slope);
    for (let part = 1; part > 1e-6; part /= 2) {
      const next = place.map((at, axis) => at + part * move[axis]);
      const [reached, ...steepness] = divergence(kind, target, next);
      if (reached < value || part < 2e-6) {
        [place, value, slope] = [next, reached, steepness];
        break;
      }
    }
  }
  return { place, value };
}

/** The moments of p: the optimum of forward KL. */
function momentsOf({ a, w }) {
  return [(1 - 2 * w) * a, 0.5 * Math.log(1 + 4 * w * (1 - w) * a * a)];
}

/** The best Gaussian { place, value }: of searches from over both hills and from either. */
export function bestFit(kind, target) {
  const moments = momentsOf(target);
  if (kind === 0) return { place: moments, value: divergence(0, target, moments)[0] };
  const ends = [moments, [-target.a, 0], [target.a, 0]].map((start) => minimumFrom(kind, target, start));
  return ends.reduce((best, end) => (end.value < best.value - 1e-9 ? end : best));
}

/** P(x > 0) of N(mean, e^{2 logStd}), good to 1e-7. */
export function shareRight([mean, logStd]) {
  const z = mean / Math.exp(logStd);
  const t = 1 / (1 + 0.3275911 * (Math.abs(z) / Math.SQRT2));
  const tail = [0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429].reduceRight((sum, c) => (sum + c) * t, 0);
  const below = 0.5 * tail * Math.exp(-z * z / 2);
  return z > 0 ? 1 - below : below;
}

/** Which hill a Gaussian has left, "left" or "right": it gives that side less than half of what p gives; else "". */
export function hillLeft({ a, w }, place) {
  const [right, truth] = [shareRight(place), w * shareRight([-a, 0]) + (1 - w) * shareRight([a, 0])];
  if (right < truth / 2) return "right";
  return 1 - right < (1 - truth) / 2 ? "left" : "";
}

/** From which distance a on the best fit leaves a hill, at this share; null where it does not up to `most`. */
export function lettingGo(kind, w, most) {
  const leaves = (a) => hillLeft({ a, w }, bestFit(kind, targetOf(a, w)).place) !== "";
  if (!leaves(most)) return null;
  let [low, high] = [0, most];
  while (high - low > 2e-3) {
    const middle = (low + high) / 2;
    if (leaves(middle)) high = middle;
    else low = middle;
  }
  return (low + high) / 2;
}
