// Down the levels with a denoiser: DDIM, and DDPM's noise on the way.

import { fillNormal } from "../js/random.js";

/** `calls` of the levels, evenly spaced by their number, the largest first. */
export function spaced(sigmas, calls) {
  return Array.from({ length: calls }, (_, k) => sigmas[Math.floor((k * sigmas.length) / calls)]);
}

/**
 * Every moment of a walk from `start`, { sigma, noised, clean }, and the picture at its end, where σ = 0. Of the noise l
 * that stays, fresh · l √(1 − l²/σ²) is drawn anew: 0 is DDIM, 1 is DDPM with the posterior's deviation.
 */
export function descent(denoise, start, levels, fresh, random) {
  const moments = [];
  let noised = start;
  levels.forEach((sigma, k) => {
    const clean = denoise(noised, sigma);
    moments.push({ sigma, noised, clean });
    const lower = levels[k + 1] ?? 0;
    const drawn = fresh * lower * Math.sqrt(1 - (lower / sigma) ** 2);
    const kept = Math.sqrt(lower ** 2 - drawn ** 2) / sigma;
    const noise = drawn ? fillNormal(new Float64Array(start.length), random) : null;
    noised = noised.map((value, i) => clean[i] + kept * (value - clean[i]) + (noise ? drawn * noise[i] : 0));
  });
  return [...moments, { sigma: 0, noised, clean: noised }];
}
