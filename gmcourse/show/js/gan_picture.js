// The stage on a canvas: heat map, warped grid, real and fake points, arrows.

import { cellDensities } from "./gan_scene.js";

const LIGHT = { data: [43, 108, 176], samples: [47, 133, 90], model: [221, 107, 32], rim: [255, 255, 255] };
const DARK = { data: [99, 179, 237], samples: [104, 211, 145], model: [246, 173, 85], rim: [26, 32, 44] };
const LONGEST = 0.11;
const REACH = 0.035;

function ink([red, green, blue], alpha = 1) {
  return `rgba(${red},${green},${blue},${alpha})`;
}

/** The course's colours, lighter where the page's own text is light. */
export function coloursFor(element) {
  const [red, green, blue] = getComputedStyle(element).color.match(/[\d.]+/g).map(Number);
  return red + green + blue > 382 ? DARK : LIGHT;
}

/** Fits the canvas to its place in the page, at most twice as fine as it. */
export function fit(canvas) {
  const fine = Math.min(2, window.devicePixelRatio || 1);
  const side = Math.round(canvas.clientWidth * fine);
  if (side && canvas.width !== side) canvas.width = canvas.height = side;
}

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
  context.imageSmoothingQuality = "high";
  context.drawImage(sheet, 0, 0, side, side);
}

/** The grid of equal masses: the denser the samples in a cell, the fuller its colour. */
function drawGrid(context, place, corners, cells, extent, colours, unit) {
  const row = cells + 1;
  const densities = cellDensities(corners, cells, extent);
  const at = (k) => place(corners[2 * k], corners[2 * k + 1]);
  const points = Array.from({ length: row * row }, (_, k) => at(k));
  for (let k = 0; k < cells * cells; k++) {
    const a = Math.floor(k / cells) * row + (k % cells);
    context.fillStyle = ink(colours.samples, 0.06 + 0.5 * Math.tanh(densities[k] / 25));
    context.beginPath();
    for (const corner of [a, a + 1, a + row + 1, a + row]) context.lineTo(...points[corner]);
    context.fill();
  }
  context.strokeStyle = ink(colours.samples, 0.75);
  context.lineWidth = 0.8 * unit;
  context.beginPath();
  for (let k = 0; k < row * row; k++) {
    if (k % row) segment(context, points[k - 1], points[k]);
    if (k >= row) segment(context, points[k - row], points[k]);
  }
  context.stroke();
}

function segment(context, from, to) {
  context.moveTo(...from);
  context.lineTo(...to);
}

function drawReal(context, place, points, most, colours, unit) {
  context.beginPath();
  const stride = Math.max(1, Math.ceil(points.length / 2 / most));
  for (let k = 0; k < points.length; k += 2 * stride) {
    const [x, y] = place(points[k], points[k + 1]);
    context.moveTo(x + 2.8 * unit, y);
    context.arc(x, y, 2.8 * unit, 0, 2 * Math.PI);
  }
  finish(context, colours.data, colours.rim, unit);
}

/** Diamonds, so that they are told from the real points by shape as well as by colour. */
function drawFake(context, place, points, colours, unit) {
  context.beginPath();
  for (let k = 0; k < points.length; k += 2) {
    const [x, y] = place(points[k], points[k + 1]);
    const r = 4.2 * unit;
    context.moveTo(x - r, y);
    for (const [right, down] of [[0, -r], [r, 0], [0, r]]) context.lineTo(x + right, y + down);
    context.closePath();
  }
  finish(context, colours.samples, colours.rim, unit);
}

function finish(context, colour, rim, unit) {
  context.fillStyle = ink(colour);
  context.strokeStyle = ink(rim, 0.9);
  context.lineWidth = 0.9 * unit;
  context.fill();
  context.stroke();
}

/** Arrows as long as the slope where it is small, never longer than LONGEST of the window. */
function drawArrows(context, place, points, pull, extent, colours, unit) {
  context.beginPath();
  for (let k = 0; k < points.length; k += 2) {
    const size = Math.hypot(pull[k], pull[k + 1]);
    const longest = 2 * LONGEST * extent;
    const length = longest * Math.tanh((REACH * 2 * extent * size) / longest);
    if (!(length > 0.004 * extent)) continue;
    const [x, y] = place(points[k], points[k + 1]);
    const [right, up] = [pull[k] / size, pull[k + 1] / size];
    const [tx, ty] = place(points[k] + length * right, points[k + 1] + length * up);
    segment(context, [x, y], [tx, ty]);
    const head = Math.min(5 * unit, 0.6 * Math.hypot(tx - x, ty - y));
    for (const turn of [0.45, -0.45]) {
      const [c, s] = [Math.cos(turn), Math.sin(turn)];
      segment(context, [tx, ty], [tx - head * (right * c - up * s), ty + head * (right * s + up * c)]);
    }
  }
  context.lineCap = "round";
  for (const [colour, width] of [[ink(colours.rim, 0.7), 3], [ink(colours.model), 1.6]]) {
    context.strokeStyle = colour;
    context.lineWidth = width * unit;
    context.stroke();
  }
}

/** Draws the scene and the data `real` over a window of half-width `extent`; `layers` says what is wanted. */
export function paintStage(canvas, scene, real, { extent, size, cells }, layers, colours) {
  fit(canvas);
  const side = canvas.width;
  const unit = side / 400;
  const context = canvas.getContext("2d");
  const place = (x, y) => [((x + extent) / (2 * extent)) * side, ((extent - y) / (2 * extent)) * side];
  context.clearRect(0, 0, side, side);
  if (layers.heat) drawHeat(context, side, scene.shades, size, colours);
  if (layers.grid && scene.corners) drawGrid(context, place, scene.corners, cells, extent, colours, unit);
  if (layers.real) drawReal(context, place, real, 400, colours, unit);
  if (layers.arrows) drawArrows(context, place, scene.fake, scene.pull, extent, colours, unit);
  if (layers.fake) drawFake(context, place, scene.fake, colours, unit);
}
