// Walkers on a score: Langevin steps, the levels of an annealed walk, and how many walkers are in which mode.

import { nearest, noised } from "./mixture.js";
import { fillNormal, randomness } from "../js/random.js";

const PROBES = 4096; // for the exact shares
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** `count` walkers, their draws decided by `seed`. */
export function newWalkers(count, seed) {
  const room = () => new Float64Array(2 * count);
  return { at: room(), score: room(), noise: room(), random: randomness(seed) };
}

/** Puts all walkers anywhere in the square window. */
export function scatter({ at, random }, extent, centre) {
  for (let k = 0; k < at.length; k++) at[k] = centre[k % 2] + extent * (2 * random.uniform() - 1);
}

/** One step x' = x + η s(x) + √(2η) ε of all walkers; `scores`(points, out) fills in s. */
export function langevinStep({ at, score, noise, random }, scores, eta) {
  fillNormal(noise, random);
  const kick = Math.sqrt(2 * eta);
  scores(at, score);
  for (let k = 0; k < at.length; k++) at[k] += eta * score[k] + kick * noise[k];
}

/** largest = σ_1 > … > σ_n = smallest with a constant ratio. */
export function geometric(largest, smallest, n) {
  return Array.from({ length: n }, (_, k) => largest * (smallest / largest) ** (k / Math.max(1, n - 1)));
}

/** The share of points (n × 2), each counting `weight(k)`, in each mode: they belong to where they most probably came from. */
function sharesOf(mixture, points, weight) {
  const sharp = noised(mixture, 0);
  const shares = Array.from({ length: Math.max(-1, ...mixture.modes) + 1 }, () => 0);
  for (let k = 0; k < points.length; k += 2) {
    shares[mixture.modes[nearest(sharp, points[k], points[k + 1])]] += weight(k / 2);
  }
  return shares;
}

export function walkersShares(mixture, { at }) {
  return sharesOf(mixture, at, () => 2 / at.length);
}

/** The mass that p_σ has in the region of each mode, to about 1e-3: an even set of points in each component. */
export function exactShares(mixture, sigma) {
  const { x, y, stds, weights } = mixture;
  const each = Math.max(8, Math.round(PROBES / x.length));
  const points = new Float64Array(2 * each * x.length);
  for (let k = 0; k < x.length; k++) {
    const std = Math.hypot(stds[k], sigma);
    for (let i = 0; i < each; i++) {
      const [radius, angle] = [std * Math.sqrt(-2 * Math.log(1 - (i + 0.5) / each)), 2 * Math.PI * ((i * GOLDEN) % 1)];
      points[2 * (k * each + i)] = x[k] + radius * Math.cos(angle);
      points[2 * (k * each + i) + 1] = y[k] + radius * Math.sin(angle);
    }
  }
  return sharesOf(mixture, points, (k) => weights[Math.floor(k / each)] / each);
}
