// A plot of one property of the models against another: a dot a model, ± one standard deviation, its name where there is room.

import { make } from "../js/elements.js";
import { listenToKeys } from "../js/keys.js";
import { draw, label } from "../js/plot.js";
import { newAxis } from "./axis.js";
import { neighbour, titled, valueInWords } from "./order.js";

const BORDER = { left: 54, right: 12, top: 26, bottom: 42 };
const LETTER = 6.4; // a letter's width, about
const POINTS = {
  circle: Array.from({ length: 24 }, (_, k) => [1.02 * Math.cos((k * Math.PI) / 12), 1.02 * Math.sin((k * Math.PI) / 12)]),
  square: [[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]],
  triangle: [[0, -1.2], [1.1, 0.8], [-1.1, 0.8]],
  diamond: [[0, -1.25], [1.25, 0], [0, 1.25], [-1.25, 0]],
  turned: [[0, 1.2], [1.1, -0.8], [-1.1, -0.8]],
  pentagon: Array.from({ length: 5 }, (_, k) => [1.15 * Math.sin((k * Math.PI) / 2.5), -1.15 * Math.cos((k * Math.PI) / 2.5)]),
  cross: [[0, -0.5], [0.7, -1.2], [1.2, -0.7], [0.5, 0], [1.2, 0.7], [0.7, 1.2], [0, 0.5], [-0.7, 1.2], [-1.2, 0.7], [-0.5, 0], [-1.2, -0.7], [-0.7, -1.2]],
  plus: [[-0.45, -1.2], [0.45, -1.2], [0.45, -0.45], [1.2, -0.45], [1.2, 0.45], [0.45, 0.45], [0.45, 1.2], [-0.45, 1.2], [-0.45, 0.45], [-1.2, 0.45], [-1.2, -0.45], [-0.45, -0.45]],
  left: [[-1.2, 0], [0.8, -1.1], [0.8, 1.1]],
  right: [[1.2, 0], [-0.8, -1.1], [-0.8, 1.1]],
};
const MARKS = Object.values(POINTS);

/** The mark of the family of that number, about the origin. */
export function mark(number, colour, parent, size = 5.5) {
  const points = MARKS[number % MARKS.length].map((point) => point.map((at) => (size * at).toFixed(1)).join()).join(" ");
  return draw("polygon", { points, fill: colour, class: "gm-mark" }, parent);
}

/** An empty plot, with a dot for each model that can be reached by Tab and arrow keys; act = { point(name), focus(name), choose(name) }. */
export function newScatter(parent, rows, numberOf, colourOf, act) {
  const svg = draw("svg", { class: "gm-scatter", role: "group" }, parent);
  const [ground, bars] = [draw("g", { class: "gm-ground" }, svg), draw("g", { class: "gm-spreads" }, svg)];
  const [group, names, over] = ["gm-dots", "gm-names", "gm-over"].map((kind) => draw("g", { class: kind }, svg));
  for (const hushed of [ground, bars, names, over]) hushed.setAttribute("aria-hidden", "true");
  const view = { svg, ground, bars, group, names, over, placed: [], dots: new Map() };
  for (const { name, family } of rows) {
    const dot = draw("g", { class: "gm-dot", role: "button", tabindex: -1, "data-name": name }, group);
    draw("circle", { r: 12, class: "gm-target" }, dot);
    mark(numberOf(family), colourOf(family), dot);
    dot.addEventListener("pointerenter", () => act.point(name));
    dot.addEventListener("pointerleave", () => act.point(""));
    dot.addEventListener("focus", () => (rest(view, name), act.focus(name)));
    dot.addEventListener("blur", () => act.focus(""));
    dot.addEventListener("click", () => act.choose(name));
    listenToKeys(dot, (key) => {
      if (key === "Enter" || key === " ") act.choose(name);
      else if (key === "Escape") act.choose("");
      const to = neighbour(view.placed, name, key);
      if (to !== null) view.dots.get(to).focus();
      return to !== null || key === "Enter" || key === " ";
    });
    view.dots.set(name, dot);
  }
  return view;
}

/** Where Tab comes to rest among the dots. */
function rest({ dots }, name) {
  for (const [other, dot] of dots) dot.setAttribute("tabindex", other === name ? 0 : -1);
}

/** The plane for `across` and `down`, axes with their columns, in the size of the drawing. */
function drawGround({ svg, ground }, across, down, { width, height }) {
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("height", height);
  ground.replaceChildren();
  const [right, bottom] = [width - BORDER.right, height - BORDER.bottom];
  draw("rect", { x: BORDER.left, y: BORDER.top, width: right - BORDER.left, height: bottom - BORDER.top, class: "gm-frame" }, ground);
  let last = -Infinity;
  for (const [value, words] of across.ticks) {
    const at = across.at(value);
    draw("line", { x1: at, x2: at, y1: BORDER.top, y2: bottom, class: "gm-gridline" }, ground);
    if (at - (LETTER * words.length) / 2 < last + 6) continue;
    last = at + (LETTER * words.length) / 2;
    label(ground, words, at, bottom + 16, "middle", "gm-tick");
  }
  for (const [value, words] of down.ticks) {
    const at = down.at(value);
    draw("line", { x1: BORDER.left, x2: right, y1: at, y2: at, class: "gm-gridline" }, ground);
    label(ground, words, BORDER.left - 6, at + 4, "end", "gm-tick");
  }
  label(ground, `${titled(across.column)} →${betterWords(across.column)}`, right, height - 6, "end", "gm-axis-name");
  label(ground, `↑ ${titled(down.column)}${betterWords(down.column)}`, 4, 15, "start", "gm-axis-name");
}

function betterWords({ better }) {
  return better ? ` (${better}er is better)` : "";
}

/** An axis through the rows' values and a standard deviation beside them; at(value) in the units of the drawing. */
function axisFor(rows, column, log, start, end) {
  const numbers = rows.flatMap(({ cells }) => {
    const { value, sd = 0, seeds = [] } = cells[column.key];
    return value === null ? [] : [value - sd, value, value + sd, ...seeds];
  });
  const axis = newAxis(numbers, log);
  const at = (value) => (axis.place(value) === null ? null : start + axis.place(value) * (end - start));
  return { ...axis, at, column };
}

/** Draws the rows; returns the names of those that have no place: no value, or no logarithm. */
export function drawScatter(view, rows, x, y, logs, size) {
  const across = axisFor(rows, x, logs[0], BORDER.left, size.width - BORDER.right);
  const down = axisFor(rows, y, logs[1], size.height - BORDER.bottom, BORDER.top);
  drawGround(view, across, down, size);
  Object.assign(view, { across, down, size, rows: new Map(rows.map((row) => [row.name, row])) });
  view.placed = rows.flatMap(({ name, cells }) => {
    const [right, bottom] = [cells[x.key].value, cells[y.key].value];
    const at = right === null || bottom === null ? [null, null] : [across.at(right), down.at(bottom)];
    return at.includes(null) ? [] : [{ name, x: at[0], y: at[1] }];
  });
  const there = new Map(view.placed.map((dot) => [dot.name, dot]));
  view.bars.replaceChildren();
  for (const [name, dot] of view.dots) {
    const at = there.get(name);
    dot.style.display = at ? "" : "none";
    if (!at) continue;
    dot.setAttribute("transform", `translate(${at.x.toFixed(1)} ${at.y.toFixed(1)})`);
    const row = view.rows.get(name);
    dot.setAttribute("aria-label", `${name}, ${row.family}: ${[y, x].map((column) => valueInWords(row, column)).join(", ")}`);
    drawBars(view, view.bars, at);
  }
  const stop = [...view.dots].find(([name, dot]) => there.has(name) && dot.getAttribute("tabindex") === "0");
  rest(view, stop ? stop[0] : view.placed[0]?.name);
  drawNames(view);
  return rows.filter(({ name }) => !there.has(name)).map(({ name }) => name);
}

/** ± one standard deviation along both axes, cut off at the frame. */
function drawBars({ across, down, rows, size }, parent, { name, x, y }) {
  const { cells } = rows.get(name);
  const [first, second] = [cells[across.column.key], cells[down.column.key]];
  if (first.sd) {
    const [x1, x2] = [-1, 1].map((sign) => across.at(first.value + sign * first.sd) ?? BORDER.left);
    draw("line", { x1, x2, y1: y, y2: y, class: "gm-spread" }, parent);
  }
  if (second.sd) {
    const [y1, y2] = [-1, 1].map((sign) => down.at(second.value + sign * second.sd) ?? size.height - BORDER.bottom);
    draw("line", { x1: x, x2: x, y1, y2, class: "gm-spread" }, parent);
  }
}

/** Names beside the dots, in the order of the table, where they meet no other. */
function drawNames({ names, placed, size }) {
  names.replaceChildren();
  const taken = placed.map(({ x, y }) => [x - 7, y - 7, x + 7, y + 7]);
  placed.forEach(({ name, x, y }, own) => {
    const wide = LETTER * name.length;
    const places = [[x + 9, y], [x - 9 - wide, y], [x - wide / 2, y - 14], [x - wide / 2, y + 14]];
    const free = places.find(([left, middle]) => {
      const box = [left, middle - 7, left + wide, middle + 7];
      const inside = box[0] > BORDER.left && box[2] < size.width - BORDER.right && box[1] > BORDER.top && box[3] < size.height - BORDER.bottom;
      return inside && !taken.some((other, k) => k !== own && meets(box, other));
    });
    if (!free) return;
    taken.push([free[0], free[1] - 7, free[0] + wide, free[1] + 7]);
    label(names, name, free[0], free[1] + 4, "start", "gm-dot-name");
    names.lastChild.dataset.of = name;
  });
}

function meets([left, top, right, bottom], [l, t, r, b]) {
  return left < r && l < right && top < b && t < bottom;
}

/** Marks one model, "" for none: a ring, its name, the numbers of its seeds along both bars. */
export function lightDot(view, name) {
  const { over, placed, rows, across, down, size, dots } = view;
  over.replaceChildren();
  const dot = placed.find((one) => one.name === name);
  view.svg.classList.toggle("gm-one-lit", Boolean(dot));
  for (const [other, element] of dots) element.classList.toggle("gm-lit", other === dot?.name);
  for (const word of view.names.children) word.classList.toggle("gm-lit", word.dataset.of === name);
  if (!dot) return;
  const { cells } = rows.get(name);
  drawBars(view, over, dot);
  for (const seed of cells[across.column.key].seeds ?? []) seedMark(over, across.at(seed), dot.y, 0);
  for (const seed of cells[down.column.key].seeds ?? []) seedMark(over, dot.x, down.at(seed), 1);
  draw("circle", { cx: dot.x, cy: dot.y, r: 9.5, class: "gm-ring" }, over);
  const end = dot.x > size.width / 2;
  label(over, name, dot.x + (end ? -14 : 14), dot.y - 8, end ? "end" : "start", "gm-lit-name");
}

function seedMark(parent, x, y, axis) {
  if (x === null || y === null) return;
  const reach = axis ? { x1: x - 14, x2: x + 14, y1: y, y2: y } : { x1: x, x2: x, y1: y - 14, y2: y + 14 };
  draw("line", { ...reach, class: "gm-seed" }, parent);
}
