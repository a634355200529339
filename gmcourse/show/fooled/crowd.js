// The fakes that the reader makes, what they measure, and which metrics they have fooled.

import { measuresOf } from "./measures.js";
import { fillNormal, randomness } from "../js/random.js";

export const COUNTS = [20, 50, 100, 150];
export const WIDTHS = [0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 1, 1.1, 1.25, 1.5];
export const STREWN = [0, 0.01, 0.02, 0.05, 0.1, 0.2];
const DRAWS = 8; // of honest fakes, for the floors

export const CHALLENGES = [
  { key: "shape", words: "A wrong shape: Fréchet no worse than its floor, precision 0.15 below its floor." },
  { key: "outlier", words: "One real point far out: precision 1, coverage below 0.1." },
  { key: "strewn", words: "A narrow clump: recall no worse than its floor, coverage below half of its floor." },
  { key: "copies", words: "Learned by heart: all of the first five no worse than their floors, and 0.95 nearer to train." },
];

/** A crowd of fakes over the given points { train, held, fresh, extent, centre }. */
export function newCrowd(given) {
  const crowd = { given, kind: "honest", count: 2, width: WIDTHS.indexOf(1), strewn: 0, outlier: false, at: [0, 0], met: new Set() };
  const source = randomness(given.seed);
  crowd.normal = fillNormal(new Float64Array(2 * given.held.length), source);
  crowd.wide = given.held.map(() => [0, 1].map((axis) => given.centre[axis] + 0.95 * given.extent * (2 * source.uniform() - 1)));
  crowd.middle = [0, 1].map((axis) => given.fresh.reduce((sum, point) => sum + point[axis], 0) / given.fresh.length);
  crowd.root = triangle(given.fresh, crowd.middle);
  return update(crowd);
}

/** The lower triangle L, as [a, b, c] of [[a, 0], [b, c]], with LLᵀ the covariance of the points. */
function triangle(points, [mx, my]) {
  const mean = (f) => points.reduce((sum, point) => sum + f(point), 0) / (points.length - 1);
  const a = Math.sqrt(mean(([x]) => (x - mx) ** 2));
  const b = mean(([x, y]) => (x - mx) * (y - my)) / a;
  return [a, b, Math.sqrt(mean(([, y]) => (y - my) ** 2) - b * b)];
}

export function realPoints({ given, outlier, count }) {
  const held = given.held.slice(0, COUNTS[count]);
  if (outlier) held[0] = given.centre.map((middle) => middle + 0.85 * given.extent);
  return held;
}

/** The fakes: of their kind, drawn together or apart about the middle, moved, and a part of them strewn. */
export function fakesOf({ given, kind, count, width, strewn, at, middle, root, normal, wide }) {
  const n = COUNTS[count];
  const gaussian = (i) => {
    const [u, v] = [normal[2 * i], normal[2 * i + 1]];
    return [middle[0] + root[0] * u, middle[1] + root[1] * u + root[2] * v];
  };
  const base = { honest: (i) => given.fresh[i], moments: gaussian, copies: (i) => given.train[i] }[kind];
  const lost = Math.ceil(STREWN[strewn] * n);
  const placed = (i) => base(i).map((value, axis) => middle[axis] + WIDTHS[width] * (value - middle[axis]) + at[axis]);
  return Array.from({ length: n }, (_, i) => (i < lost ? wide[i] : placed(i)));
}

/** What honest fakes measure at this count: the mean of a few draws, and the worst of them. */
function floorsOf(crowd, held, train) {
  const n = COUNTS[crowd.count];
  const draws = Array.from({ length: DRAWS }, (_, k) => measuresOf(held, train, crowd.given.fresh.slice(k * n, (k + 1) * n)));
  const over = (reduce) => Object.fromEntries(Object.keys(draws[0]).map((name) => [name, reduce(draws.map((draw) => draw[name]), name)]));
  const high = new Set(["frechet", "nearer"]); // worse above
  return {
    mean: over((values) => values.reduce((a, b) => a + b) / DRAWS),
    worst: over((values, name) => (high.has(name) ? Math.max(...values) : Math.min(...values))),
  };
}

function fooled({ values, floors: { mean, worst } }) {
  const fine = (name) => (name === "frechet" ? values[name] <= worst[name] : values[name] >= worst[name]);
  return {
    shape: fine("frechet") && values.precision < mean.precision - 0.15,
    outlier: values.precision === 1 && values.coverage < 0.1,
    strewn: fine("recall") && values.coverage < mean.coverage / 2,
    copies: ["frechet", "precision", "recall", "density", "coverage"].every(fine) && values.nearer >= 0.95,
  };
}

/** Measures the crowd anew; its `news` are the challenges that it has met for the first time. */
export function update(crowd, changes = {}) {
  Object.assign(crowd, changes);
  const held = realPoints(crowd);
  const train = crowd.given.train.slice(0, held.length);
  crowd.fakes = fakesOf(crowd);
  crowd.values = measuresOf(held, train, crowd.fakes);
  const at = `${crowd.count} ${crowd.outlier}`;
  if (crowd.floorsAt !== at) Object.assign(crowd, { floors: floorsOf(crowd, held, train), floorsAt: at });
  crowd.now = fooled(crowd);
  crowd.news = CHALLENGES.filter(({ key }) => crowd.now[key] && !crowd.met.has(key));
  for (const { key } of crowd.news) crowd.met.add(key);
  return crowd;
}
