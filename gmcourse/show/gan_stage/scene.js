// What the stage shows of a run: the critic's values over the window, the fakes, their arrows, the warped grid.

import { LOSSES } from "./losses.js";
import { backwardBatch, forwardBatch, workspace } from "./network.js";
import { fillNormal, randomness } from "../js/random.js";

const HEAT = 40;
const CELLS = 16;
const FAKES = 150;
const COVERED = 0.98;

/** The quantile of N(0, 1): Newton's method on the distribution function, itself by a series. */
export function normalQuantile(p) {
  let x = 0;
  for (let round = 0; round < 40; round++) {
    let [term, sum] = [x, x];
    for (let k = 1; Math.abs(term) > 1e-12 * Math.abs(sum) && k < 200; k++) sum += term *= (x * x) / (2 * k + 1);
    const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
    const step = (0.5 + density * sum - p) / density;
    x -= Math.max(-0.5, Math.min(0.5, step));
    if (Math.abs(step) < 1e-10) break;
  }
  return x;
}

/** The corners of a grid over two latents whose cells hold equal mass under N(0, I): (CELLS + 1)² × 2. */
function latentGrid() {
  const place = Array.from({ length: CELLS + 1 }, (_, k) => normalQuantile(0.5 + COVERED * (k / CELLS - 0.5)));
  return Float32Array.from(place.flatMap((y) => place.flatMap((x) => [x, y])));
}

/** The centres of HEAT × HEAT tiles over the window, the top row first. */
function tileCentres(extent, [cx, cy]) {
  const place = (k) => ((2 * k + 1) / HEAT - 1) * extent;
  return Float32Array.from({ length: 2 * HEAT * HEAT }, (_, k) => {
    const tile = k >> 1;
    return k % 2 ? cy - place(Math.floor(tile / HEAT)) : cx + place(tile % HEAT);
  });
}

/** Where the stage looks: fixed latents, fixed tiles, and room to run both networks on them. */
export function newView({ generator, critic }, latentSize, extent, centre = [0, 0]) {
  const corners = latentSize === 2 ? latentGrid() : null;
  return {
    ...{ extent, centre, size: HEAT, cells: CELLS, corners, tiles: tileCentres(extent, centre) },
    latents: fillNormal(new Float32Array(FAKES * latentSize), randomness(1)),
    heatSpace: workspace(critic.net, HEAT * HEAT),
    gridSpace: corners && workspace(generator.net, corners.length / 2),
    fakeSpace: workspace(generator.net, FAKES),
    pullSpace: workspace(critic.net, FAKES),
  };
}

/** Where the generator is told to move each of the points `fake` (n × 2): minus its loss's slope in the point. */
export function pullOn(critic, space, kind, fake) {
  const { slope } = LOSSES[kind].generator;
  const slopes = forwardBatch(critic.net, space, fake).map(slope);
  return backwardBatch(critic.net, space, slopes, false).map((value) => -value);
}

/**
 * What the wanted `layers` need: `shades` from 0 (fake) to 1 (real), the `corners` of the warped grid, the `fake` points
 * and the `pull` on them.
 */
export function sceneOf({ generator, critic }, view, kind, layers) {
  const values = layers.heat && forwardBatch(critic.net, view.heatSpace, view.tiles);
  const fake = forwardBatch(generator.net, view.fakeSpace, view.latents);
  return {
    ...{ fake, shades: values && values.map(LOSSES[kind].shade(values)) },
    corners: layers.grid && forwardBatch(generator.net, view.gridSpace, view.corners),
    pull: layers.arrows && pullOn(critic, view.pullSpace, kind, fake),
  };
}

/**
 * How dense the samples lie in each cell of the warped grid, against all of them spread evenly over the window:
 * the cell's mass over its area. Folded cells count both triangles.
 */
export function cellDensities(corners, cells, extent) {
  const mass = (COVERED / cells) ** 2;
  const doubled = (a, b, c) =>
    (corners[2 * b] - corners[2 * a]) * (corners[2 * c + 1] - corners[2 * a + 1]) -
    (corners[2 * c] - corners[2 * a]) * (corners[2 * b + 1] - corners[2 * a + 1]);
  return Float32Array.from({ length: cells * cells }, (_, k) => {
    const a = Math.floor(k / cells) * (cells + 1) + (k % cells);
    const [b, c, d] = [a + 1, a + cells + 1, a + cells + 2];
    const area = (Math.abs(doubled(a, b, d)) + Math.abs(doubled(a, d, c))) / 2;
    return (mass / Math.max(area, 1e-12)) * 4 * extent * extent;
  });
}
