// The score field on a canvas: the density in blue, arrows up the score, the reader's points, and the walkers.

import { logDensity, scoreInto } from "./mixture.js";
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
  const sheet = document.createElement("canvas");
  sheet.width = sheet.height = TILES;
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
function paintArrows(context, place, { smooth, extent, given, sigma, mixture }, colours, unit) {
  const cell = (2 * extent) / CELLS_WIDE;
  const [score, whole] = [[0, 0], mixture.finest ** 2 + sigma ** 2];
  context.fillStyle = ink(colours.model, 0.9);
  context.beginPath();
  for (let k = 0; k < CELLS_WIDE * CELLS_WIDE; k++) {
    const x = given.centre[0] - extent + cell * ((k % CELLS_WIDE) + 0.5);
    const y = given.centre[1] - extent + cell * (Math.floor(k / CELLS_WIDE) + 0.5);
    scoreInto(smooth, x, y, score);
    const size = Math.hypot(...score);
    if (!(size > 0)) continue;
    const length = 0.82 * cell * Math.tanh((size * whole) / (1.5 * cell));
    const [right, up] = score.map((part) => part / size);
    const [tipX, tipY] = place(x + (length * right) / 2, y + (length * up) / 2);
    const [endX, endY] = place(x - (length * right) / 2, y - (length * up) / 2);
    context.moveTo(tipX, tipY);
    context.lineTo(endX - 1.9 * unit * up, endY - 1.9 * unit * right);
    context.lineTo(endX + 1.9 * unit * up, endY + 1.9 * unit * right);
    context.closePath();
  }
  context.fill();
}

/** What stays while the walkers move: made anew when the level, the data, the size or the colours change. */
function ground(canvas, field, place, colours) {
  const { smooth, set, drawn } = field;
  const [side, points, kept] = [canvas.width, set === "drawn" ? drawn : [], canvas.kept];
  if (kept && kept.smooth === smooth && kept.side === side && kept.colours === colours) return kept;
  const unit = side / 400;
  const sheet = document.createElement("canvas");
  sheet.width = sheet.height = Math.max(1, side);
  const context = sheet.getContext("2d");
  if (smooth.x.length) {
    paintDensity(context, side, field, colours);
    paintArrows(context, place, field, colours, unit);
  }
  stamp(context, place, points.flat(), sprite("circle", 2.2 * unit, colours.data, colours.rim, unit));
  return (canvas.kept = { smooth, side, colours, sheet, mark: sprite("diamond", 3.4 * unit, colours.samples, colours.rim, unit) });
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
