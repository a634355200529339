// The two hills, the three Gaussians over them, and where each stands, as SVG.

import { gaussianAt, hillsAt } from "./fits.js";
import { draw, label, signed } from "../js/plot.js";
import { placeUnder } from "../js/pointer.js";

export const NAMES = ["forward", "reverse", "js"];
const WIDE = 400;
const REACH = 9;
const TALL = 190;
const HIGHEST = 0.46;
const ROWS = TALL + 34;
const EVERY = 16;

function across(x) {
  return ((x + REACH) / (2 * REACH)) * WIDE;
}

function down(density) {
  return TALL * (1 - density / HIGHEST);
}

function frame(svg) {
  draw("rect", { width: WIDE, height: TALL, rx: 5, class: "gm-frame" }, svg);
  for (let x = -8; x <= 8; x += 2) {
    draw("line", { x1: across(x), x2: across(x), y1: 0, y2: ROWS + 3 * EVERY - 8, class: "gm-gridline" }, svg);
    label(svg, signed(x), across(x), TALL + 15, "middle");
  }
  label(svg, "density", 6, 15, "start", "gm-name");
  label(svg, "x", WIDE - 4, TALL - 6, "end", "gm-name");
}

/** A ring that is dragged; the sliders do the same from the keyboard. */
function ring(svg, className) {
  const handle = draw("g", { class: `gm-handle ${className}`, "aria-hidden": "true" }, svg);
  draw("circle", { r: 20, class: "gm-reach" }, handle);
  return handle;
}

/** Everything that is drawn, in its order; `showPicture` moves it. */
export function newPicture(root) {
  const svg = draw("svg", { viewBox: `-8 -2 ${WIDE + 16} ${ROWS + 3 * EVERY - 2}`, class: "gm-plot", "aria-hidden": "true" }, root);
  frame(svg);
  const inside = draw("svg", { width: WIDE, height: TALL }, svg);
  const hills = draw("path", { class: "gm-hills" }, inside);
  const curves = NAMES.map((name) => draw("path", { class: `gm-curve gm-${name}` }, inside));
  const bars = NAMES.map((name, row) => {
    const group = draw("g", { class: `gm-bar gm-${name}`, transform: `translate(0 ${ROWS + EVERY * row})` }, svg);
    label(group, ["forward", "reverse", "JS"][row], 2, 4, "start");
    return { line: draw("path", {}, group), dot: draw("circle", { r: 4.5 }, group) };
  });
  const left = ring(svg, "gm-hill");
  const right = ring(svg, "gm-hill");
  for (const hill of [left, right]) draw("circle", { r: 6.5, class: "gm-knob" }, hill);
  const start = ring(svg, "gm-start");
  draw("path", { d: "M0 -7 L6.5 4 L-6.5 4 Z", class: "gm-knob" }, start);
  return { svg, hills, curves, bars, left, right, start };
}

function line(density) {
  const points = [];
  for (let x = -REACH; x <= REACH + 1e-9; x += 0.05) points.push(`${across(x).toFixed(1)} ${down(density(x)).toFixed(1)}`);
  return `M${points.join("L")}`;
}

/** Hills, Gaussians and handles at their places. */
export function showPicture(view, { a, w }, start, places) {
  view.hills.setAttribute("d", `${line((x) => hillsAt(x, { a, w }))}L${WIDE} ${TALL}L0 ${TALL}Z`);
  places.forEach(([mean, logStd], kind) => {
    view.curves[kind].setAttribute("d", line((x) => gaussianAt(x, [mean, logStd])));
    const std = Math.exp(logStd);
    const [low, high] = [mean - std, mean + std].map((x) => across(Math.min(REACH, Math.max(-REACH, x))));
    view.bars[kind].line.setAttribute("d", `M${low} 0H${high}`);
    view.bars[kind].dot.setAttribute("cx", across(mean));
  });
  const tops = [[view.left, -a], [view.right, a]];
  for (const [handle, x] of tops) handle.setAttribute("transform", `translate(${across(x)} ${down(hillsAt(x, { a, w }))})`);
  view.start.setAttribute("transform", `translate(${across(start[0])} ${TALL})`);
}

/** x and the density under a pointer event. */
export function read(view, event) {
  const [right, low] = placeUnder(view.svg, event);
  return [(right / WIDE) * 2 * REACH - REACH, HIGHEST * (1 - low / TALL)];
}

/** In words, where a Gaussian stands before the hills: over both, or on the one that it has not left. */
export function standing(left) {
  return left ? `the ${left === "right" ? "left" : "right"} hill alone` : "both hills";
}

/** "m = −1.20, σ = 2.93" */
export function placeWords([mean, logStd]) {
  return `m = ${signed(mean, 2)}, σ = ${Math.exp(logStd).toFixed(2)}`;
}
