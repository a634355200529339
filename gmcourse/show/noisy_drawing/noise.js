// Noise on a picture, and how far it moved the picture.

import { fillNormal, randomness } from "../js/random.js";

/** What decides the noise at every level: for each pixel a normal and a uniform number. */
export function drawsOf(size, seed) {
  const random = randomness(seed);
  return { normal: fillNormal(new Float32Array(size), random), uniform: new Float32Array(size).map(random.uniform) };
}

/** x̃: normal noise with the standard deviation `level` is added, or by masking about a share `level` of all set to 0. */
export function corrupted(image, kind, level, { normal, uniform }) {
  if (kind === "masking") return image.map((ink, k) => (uniform[k] < level ? 0 : ink));
  return image.map((ink, k) => ink + level * normal[k]);
}

/** ‖a − b‖. */
export function distance(a, b) {
  return Math.sqrt(a.reduce((sum, value, k) => sum + (value - b[k]) ** 2, 0));
}
