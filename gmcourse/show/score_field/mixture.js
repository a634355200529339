// A mixture of Gaussians in the plane, Σ_k w_k N(m_k, s_k² I), with noise on it: its score and its density, exactly.

const FLAT = -40; // e^−40 is nothing beside 1

/** means [[x, y], …], stds and weights of the components, and of each the number of the mode that it belongs to. */
export function newMixture(means, stds, weights, modes) {
  const [x, y] = [0, 1].map((axis) => Float64Array.from(means, (mean) => mean[axis]));
  return { x, y, stds: Float64Array.from(stds), weights: Float64Array.from(weights), modes, finest: Math.min(...stds) };
}

/** The mixture smoothed by noise of standard deviation σ, ready to be asked: 1/v_k and ln w_k − ln 2πv_k, v_k = s_k² + σ². */
export function noised({ x, y, stds, weights }, sigma) {
  const sharp = stds.map((std) => 1 / (std * std + sigma * sigma));
  const bias = weights.map((weight, k) => Math.log((weight * sharp[k]) / (2 * Math.PI)));
  return { x, y, sharp, bias, terms: new Float64Array(x.length) };
}

/** Fills `terms` by ln w_k N(·; m_k, v_k) and returns the place of the largest. */
function fillTerms({ x, y, sharp, bias, terms }, px, py) {
  let best = 0;
  for (let k = 0; k < x.length; k++) {
    const [dx, dy] = [px - x[k], py - y[k]];
    terms[k] = bias[k] - 0.5 * sharp[k] * (dx * dx + dy * dy);
    if (terms[k] > terms[best]) best = k;
  }
  return best;
}

/** The score ∇ ln p_σ at (px, py) into out[at], out[at + 1]. */
export function scoreInto(smooth, px, py, out, at = 0) {
  const { x, y, sharp, terms } = smooth;
  const largest = terms[fillTerms(smooth, px, py)];
  let [sum, right, up] = [0, 0, 0];
  for (let k = 0; k < x.length; k++) {
    if (terms[k] - largest < FLAT) continue;
    const share = Math.exp(terms[k] - largest);
    sum += share;
    right += share * sharp[k] * (x[k] - px);
    up += share * sharp[k] * (y[k] - py);
  }
  out[at] = right / sum;
  out[at + 1] = up / sum;
}

/** The score at each of the points (n × 2), into `out`. */
export function scoresInto(smooth, points, out) {
  for (let k = 0; k < points.length; k += 2) scoreInto(smooth, points[k], points[k + 1], out, k);
}

/** ln p_σ at (px, py), nats. */
export function logDensity(smooth, px, py) {
  const { terms } = smooth;
  const largest = terms[fillTerms(smooth, px, py)];
  return largest + Math.log(terms.reduce((sum, term) => sum + (term - largest < FLAT ? 0 : Math.exp(term - largest)), 0));
}

/** The component that a point most probably came from. */
export function nearest(smooth, px, py) {
  return fillTerms(smooth, px, py);
}
