// How the next symbol is chosen: probabilities out of logits, sharpened or cut before one is drawn.

import { softmax } from "../js/softmax.js";

/** The symbols, the likeliest first; of equal ones the first. */
export const ranked = (p) => Array.from(p.keys()).sort((a, b) => p[b] - p[a] || a - b);

/** The logits at temperature t, of which the k largest stay, and of these the fewest that hold `mass`; others are −∞. */
export function chosen(logits, { t, k, mass }) {
  const tempered = logits.map((logit) => logit / t);
  const order = ranked(tempered);
  const first = new Set(order.slice(0, k ?? order.length));
  const topped = tempered.map((logit, v) => (first.has(v) ? logit : -Infinity));
  if (mass === 1) return topped;
  const p = softmax(topped);
  let before = 0;
  for (const v of order) {
    if (before >= mass) topped[v] = -Infinity;
    before += p[v];
  }
  return topped;
}

/** −Σ p ln p, nats. */
export const entropyOf = (p) => -p.reduce((sum, mass) => sum + (mass > 0 ? mass * Math.log(mass) : 0), 0);

/** How q stands to p: the symbols that q keeps, their mass under p, and KL(q ‖ p), nats. */
export function compared(q, p) {
  const kept = ranked(q).filter((v) => q[v] > 0);
  const divergence = kept.reduce((sum, v) => sum + q[v] * Math.log(q[v] / p[v]), 0);
  return { kept: kept.length, mass: kept.reduce((sum, v) => sum + p[v], 0), divergence };
}

/** The symbol v at which the sum of q up to v passes u, a number in [0, 1). */
export function picked(q, u) {
  const edges = [];
  q.reduce((sum, mass) => (edges.push(sum + mass), sum + mass), 0);
  const place = edges.findIndex((edge) => edge > u * edges.at(-1));
  return place < 0 ? q.length - 1 : place;
}

/** How many of the runs of n codes are distinct, and how many there are. */
export function distinctRuns(codes, n) {
  const runs = codes.slice(n - 1).map((_, start) => codes.slice(start, start + n).join());
  return { distinct: new Set(runs).size, all: runs.length };
}
