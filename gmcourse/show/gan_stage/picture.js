// The stage on a canvas: heat map, warped grid, real and fake points, arrows.

import { cellDensities } from "./scene.js";
import { fit, ink, sprite, stamp } from "../js/canvas.js";

const LONGEST = 0.1;
const REACH = 0.09;
const SHADES = 8;
const MOST_REAL = 250;

/** Blue where the critic says real, green where it says fake, the page's own ground in between. */
function drawHeat(context, side, shades, size, colours) {
  const sheet = (drawHeat.sheet ??= document.createElement("canvas"));
  sheet.width = sheet.height = size;
  const picture = sheet.getContext("2d").createImageData(size, size);
  shades.forEach((shade, k) => {
    const colour = shade > 0.5 ? colours.data : colours.samples;
    picture.data.set(colour, 4 * k);
    picture.data[4 * k + 3] = Math.round(255 * 0.62 * Math.min(1, Math.abs(2 * shade - 1)));
  });
  sheet.getContext("2d").putImageData(picture, 0, 0);
  context.imageSmoothingEnabled = true;
  context.drawImage(sheet, 0, 0, side, side);
}

/** The grid of equal masses: the denser the samples in a cell, the fuller its colour. */
function drawGrid(context, place, corners, cells, extent, colours, unit) {
  const row = cells + 1;
  const points = Array.from({ length: row * row }, (_, k) => place(corners[2 * k], corners[2 * k + 1]));
  const shades = Array.from({ length: SHADES }, () => new Path2D());
  cellDensities(corners, cells, extent).forEach((density, k) => {
    const a = Math.floor(k / cells) * row + (k % cells);
    const cell = [a, a + 1, a + row + 1, a + row].map((corner) => points[corner]);
    addCell(shades[Math.min(SHADES - 1, Math.floor(SHADES * Math.tanh(density / 25)))], cell);
  });
  shades.forEach((path, k) => {
    context.fillStyle = ink(colours.samples, 0.06 + (0.5 * k) / SHADES);
    context.fill(path);
  });
  context.strokeStyle = ink(colours.samples, 0.7);
  context.lineWidth = 0.8 * unit;
  context.beginPath();
  for (let k = 0; k < row; k++) {
    for (const step of [1, row]) {
      const start = step === 1 ? k * row : k;
      context.moveTo(...points[start]);
      for (let m = 1; m < row; m++) context.lineTo(...points[start + m * step]);
    }
  }
  context.stroke();
}

/** Adds a cell to a path, always the same way round: cells folded over one another must not leave holes. */
function addCell(path, [a, b, c, d]) {
  const turned = (c[0] - a[0]) * (d[1] - b[1]) - (c[1] - a[1]) * (d[0] - b[0]) < 0;
  path.moveTo(...a);
  for (const corner of turned ? [d, c, b] : [b, c, d]) path.lineTo(...corner);
  path.closePath();
}

/** Arrows as long as the slope where it is small, never longer than LONGEST of the window: one slim triangle each. */
function drawArrows(context, place, points, pull, extent, colours, unit) {
  const longest = 2 * LONGEST * extent;
  context.fillStyle = ink(colours.model);
  context.beginPath();
  for (let k = 0; k < points.length; k += 2) {
    const size = Math.hypot(pull[k], pull[k + 1]);
    const length = longest * Math.tanh((REACH * 2 * extent * size) / longest);
    if (!(length > 0.004 * extent)) continue;
    const [x, y] = place(points[k], points[k + 1]);
    const [right, up] = [pull[k] / size, pull[k + 1] / size];
    const [tipX, tipY] = place(points[k] + length * right, points[k + 1] + length * up);
    context.moveTo(tipX, tipY);
    context.lineTo(x - 2.6 * unit * up, y - 2.6 * unit * right);
    context.lineTo(x + 2.6 * unit * up, y + 2.6 * unit * right);
    context.closePath();
  }
  context.fill();
}

/** The marks, and all real points on one sheet, made anew when the data, the size or the colours change. */
function prepared(canvas, real, place, colours) {
  const kept = canvas.kept;
  const side = canvas.width;
  if (kept && kept.real === real && kept.side === side && kept.colours === colours) return kept;
  const unit = side / 400;
  const sheet = document.createElement("canvas");
  sheet.width = sheet.height = Math.max(1, side);
  const stride = Math.max(1, Math.ceil(real.length / 2 / MOST_REAL));
  stamp(sheet.getContext("2d"), place, real, sprite("circle", 2.8 * unit, colours.data, colours.rim, unit), stride);
  const diamond = sprite("diamond", 4.2 * unit, colours.samples, colours.rim, unit);
  return (canvas.kept = { real, side, colours, sheet, diamond });
}

/** Draws the scene and the data `real` over a window of half-width `extent` about `centre`; `layers`: what is wanted. */
export function paintStage(canvas, scene, real, { extent, centre: [cx, cy], size, cells }, layers, colours) {
  fit(canvas);
  const side = canvas.width;
  const unit = side / 400;
  const context = canvas.getContext("2d");
  const place = (x, y) => [((x - cx + extent) / (2 * extent)) * side, ((extent - y + cy) / (2 * extent)) * side];
  const { sheet, diamond } = prepared(canvas, real, place, colours);
  context.clearRect(0, 0, side, side);
  if (scene.shades) drawHeat(context, side, scene.shades, size, colours);
  if (scene.corners) drawGrid(context, place, scene.corners, cells, extent, colours, unit);
  if (layers.real) context.drawImage(sheet, 0, 0);
  if (scene.pull) drawArrows(context, place, scene.fake, scene.pull, extent, colours, unit);
  if (layers.fake) stamp(context, place, scene.fake, diamond);
}
