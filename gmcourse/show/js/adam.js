// Adam.

const [BETA2, TINY] = [0.999, 1e-8];

/** Where Adam keeps the means of so many slopes. */
export function newMoments(size) {
  return { count: 0, first: new Float32Array(size), second: new Float32Array(size) };
}

/** One step of Adam (β₂ = 0.999) on the network's weights along its gradient. */
export function adamStep({ weights, gradient }, moments, lr, beta1 = 0.5) {
  moments.count += 1;
  const rate = lr / (1 - beta1 ** moments.count);
  const root = Math.sqrt(1 - BETA2 ** moments.count);
  const { first, second } = moments;
  for (let k = 0; k < weights.length; k++) {
    const slope = gradient[k];
    first[k] = beta1 * first[k] + (1 - beta1) * slope;
    second[k] = BETA2 * second[k] + (1 - BETA2) * slope * slope;
    weights[k] -= (rate * first[k]) / (Math.sqrt(second[k]) / root + TINY);
  }
}
