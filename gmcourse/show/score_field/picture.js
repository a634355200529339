// The score field on a canvas: the density in blue, arrows up the score, the reader's points, and the walkers.

import { logDensity } from "./mixture.js";
import { scoresOf } from "./state.js";
import { fit, ink, sprite, stamp } from "../js/canvas.js";

const [TILES, CELLS_WIDE] = [64, 17];

/** The density of p_σ on a sheet of TILES × TILES, as full as it is high. */
function paintDensity(context, side, { smooth, extent, given }, colours) {
  const [cx, cy] = given.centre;
  const at = (k) => ((2 * k + 1) / TILES - 1) * extent;
  const logs = Float64Array.from({ length: TILES * TILES }, (_, k) =>
    logDensity(smooth, cx + at(k % TILES), cy - at(Math.floor(k / TILES))),
  );
  const highest = logs.reduce((most, value) => Math.max(most, value), -Infinity);
  const sheet = newSheet(TILES);
  const picture = sheet.getContext("2d").createImageData(TILES, TILES);
  logs.forEach((value, k) => {
    picture.data.set(colours.data, 4 * k);
    picture.data[4 * k + 3] = Math.round(150 * Math.exp(0.6 * (value - highest)));
  });
  sheet.getContext("2d").putImageData(picture, 0, 0);
  context.imageSmoothingEnabled = true;
  context.drawImage(sheet, 0, 0, side, side);
}

/** Arrows along the score; they grow with the way s(x) (s² + σ²) that one walker has to go, up to their own cell. */
function paintArrows(context, place, field, colours, unit) {
  const { extent, given, sigma, mixture } = field;
  const cell = (2 * extent) / CELLS_WIDE;
  const whole = mixture.finest ** 2 + sigma ** 2;
  const at = (k) => given.centre[k % 2] - extent + cell * ((k % 2 ? Math.floor(k / 2 / CELLS_WIDE) : (k >> 1) % CELLS_WIDE) + 0.5);
  const points = Float64Array.from({ length: 2 * CELLS_WIDE * CELLS_WIDE }, (_, k) => at(k));
  const scores = new Float64Array(points.length);
  scoresOf(field, points, scores);
  context.fillStyle = ink(colours.model, 0.9);
  context.beginPath();
  for (let k = 0; k < points.length; k += 2) {
    const [x, y] = [points[k], points[k + 1]];
    const size = Math.hypot(scores[k], scores[k + 1]);
    if (!(size > 0)) continue;
    const length = 0.82 * cell * Math.tanh((size * whole) / (1.5 * cell));
    const [right, up] = [scores[k] / size, scores[k + 1] / size];
    const [tipX, tipY] = place(x + (length * right) / 2, y + (length * up) / 2);
    const [endX, endY] = place(x - (length * right) / 2, y - (length * up) / 2);
    context.moveTo(tipX, tipY);
    context.lineTo(endX - 1.9 * unit * up, endY - 1.9 * unit * right);
    context.lineTo(endX + 1.9 * unit * up, endY + 1.9 * unit * right);
    context.closePath();
  }
  context.fill();
}

/** What stays while the walkers move: the density, and on it the arrows, each made anew when what it shows has changed. */
function ground(canvas, field, place, colours) {
  const { smooth, set, drawn, source, learner } = field;
  const [side, kept] = [canvas.width, canvas.kept];
  const unit = side / 400;
  if (!kept || kept.smooth !== smooth || kept.side !== side || kept.colours !== colours) {
    const density = newSheet(side);
    if (smooth.x.length) paintDensity(density.getContext("2d"), side, field, colours);
    const mark = sprite("diamond", 3.4 * unit, colours.samples, colours.rim, unit);
    canvas.kept = { smooth, side, colours, density, mark };
  }
  const told = source === "exact" ? source : learner.moments.count;
  if (canvas.kept.told !== told) {
    const sheet = newSheet(side);
    const context = sheet.getContext("2d");
    context.drawImage(canvas.kept.density, 0, 0);
    if (smooth.x.length) paintArrows(context, place, field, colours, unit);
    const points = set === "drawn" ? drawn.flat() : [];
    stamp(context, place, points, sprite("circle", 2.2 * unit, colours.data, colours.rim, unit));
    Object.assign(canvas.kept, { told, sheet });
  }
  return canvas.kept;
}

function newSheet(side) {
  const sheet = document.createElement("canvas");
  sheet.width = sheet.height = Math.max(1, side);
  return sheet;
}

/** Draws the field and its walkers. */
export function paintField(canvas, field, colours) {
  fit(canvas);
  const { extent, given, walkers } = field;
  const side = canvas.width;
  const [cx, cy] = given.centre;
  const place = (x, y) => [((x - cx + extent) / (2 * extent)) * side, ((extent - y + cy) / (2 * extent)) * side];
  const context = canvas.getContext("2d");
  const { sheet, mark } = ground(canvas, field, place, colours);
  context.clearRect(0, 0, side, side);
  context.drawImage(sheet, 0, 0);
  stamp(context, place, walkers.at, mark);
}
