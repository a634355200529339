// Data sets that the page can make itself, and points painted by hand.

import { fillNormal, randomness } from "../js/random.js";

const COUNT = 600;
const MOST_DRAWN = 2000;

/** Where point k of a set lies, from one uniform number u, in a window of half-width 3, and its blur. */
const SETS = {
  ring: { label: "ring of eight", blur: 0.1, at: (k) => turn(2, (2 * Math.PI * (k % 8)) / 8) },
  moons: { label: "two moons", blur: 0.12, at: (k, u) => moon(k % 2, Math.PI * u) },
  line: { label: "line", blur: 0.06, at: (k, u) => [4 * u - 2, 1.6 * u - 0.8] },
  circle: { label: "circle", blur: 0.08, at: (k, u) => turn(1.8, 2 * Math.PI * u) },
  grid: { label: "grid of nine", blur: 0.1, at: (k) => [1.7 * (k % 3) - 1.7, 1.7 * (Math.floor(k / 3) % 3) - 1.7] },
  blobs: { label: "two blobs", blur: 0.3, at: (k) => (k % 2 ? [1.3, 1.1] : [-1.3, -1.1]) },
};

function turn(radius, angle) {
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

function moon(side, angle) {
  const [x, y] = turn(1.5, angle);
  return side ? [x - 0.75, y - 0.35] : [0.75 - x, 0.35 - y];
}

/** The names of the sets, each with its label. */
export const SET_LABELS = Object.entries(SETS).map(([name, { label }]) => [name, label]);

/** Points (n × 2, row by row) of the named set, scaled to a window; the same each time. */
export function madeSet(name, extent, centre = [0, 0]) {
  const { blur, at } = SETS[name];
  const random = randomness(7);
  const noise = fillNormal(new Float32Array(2 * COUNT), random);
  const points = Array.from({ length: COUNT }, (_, k) => at(k, random.uniform()));
  return Float32Array.from(points.flat(), (value, k) => centre[k % 2] + ((value + blur * noise[k]) * extent) / 3);
}

/** `points` with a blob of `count` more around `place`, inside the window; the oldest go where there are too many. */
export function withBlob(points, place, count, random, extent, centre = [0, 0]) {
  const noise = fillNormal(new Float32Array(2 * count), random);
  const inside = (value) => Math.min(0.98 * extent, Math.max(-0.98 * extent, value));
  const blob = noise.map((value, k) => centre[k % 2] + inside(place[k % 2] - centre[k % 2] + 0.035 * extent * value));
  const all = Float32Array.from([...points, ...blob]);
  return all.subarray(Math.max(0, all.length - 2 * MOST_DRAWN)).slice();
}
