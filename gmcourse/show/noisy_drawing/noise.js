// Noise on a picture, how far it moved the picture, and the strokes of a round pen.

import { fillNormal, randomness } from "../js/random.js";

const RADIUS = 0.75; // of the pen, in pixels

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

/** How far a point lies from the line between two others. */
function distanceToLine([x, y], [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const along = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1);
  const share = Math.min(1, Math.max(0, along));
  return Math.hypot(x - ax - share * dx, y - ay - share * dy);
}

/** The picture after a stroke from one point [column, row] to another: grey where the pen covers a part of a pixel. */
export function stroked(image, width, from, to, erases) {
  return image.map((ink, place) => {
    const centre = [(place % width) + 0.5, Math.floor(place / width) + 0.5];
    const covered = Math.min(1, Math.max(0, RADIUS + 0.5 - distanceToLine(centre, from, to)));
    return erases ? Math.min(ink, 1 - covered) : Math.max(ink, covered);
  });
}
