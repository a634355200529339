// The network of a MADE as circles and lines, and its masks as tables.

import { make } from "../js/elements.js";
import { draw, label } from "../js/plot.js";

const [WIDTH, MIDDLE, BOTTOM] = [900, 150, 300];
const CELL = 20;

/** Every open connection; those that lead to the pressed output stand out, in the colour of what they bring. */
export function drawNetwork(svg, { degrees, places, output }, { masks, kinds }, litBy) {
  svg.replaceChildren();
  const at = (index, count) => (WIDTH * (index + 0.5)) / count;
  const lines = [];
  const join = (x1, y1, x2, y2, kind) => lines.push([{ x1, y1, x2, y2, class: `gm-line gm-${kind}` }, kind !== "open"]);
  degrees.forEach((_, unit) => {
    const [x, reached] = [at(unit, degrees.length), masks.last[output][unit]];
    places.forEach((_, pixel) => {
      if (masks.first[unit][pixel]) join(at(pixel, places.length), 0, x, MIDDLE, reached ? kinds[pixel] : "open");
      if (masks.last[pixel][unit]) join(x, MIDDLE, at(pixel, places.length), BOTTOM, pixel === output ? litBy(unit) : "open");
    });
  });
  for (const lit of [false, true]) for (const [line, is] of lines) if (is === lit) draw("line", line, svg);
  degrees.forEach((degree, unit) => {
    const [cx, kind] = [at(unit, degrees.length), masks.last[output][unit] ? litBy(unit) : "open"];
    draw("circle", { cx, cy: MIDDLE, r: 27, class: `gm-unit gm-${kind}` }, svg);
    label(svg, String(degree), cx, MIDDLE + 11, "middle", `gm-degree gm-${kind}`);
  });
}

/** A table of squares with numbers at its rows and columns; `row` is framed. */
export function drawTable(parent, title, { cells, rows, columns, axes, row }) {
  const box = make("div", "gm-table", parent);
  make("div", "gm-title", box, title);
  const [width, height] = [9 * CELL, 9 * CELL];
  const words = `${title}. ${cells.map((line, i) => `${rows[i]}: ${listed(line, columns)}`).join("; ")}.`;
  const svg = draw("svg", { viewBox: `-40 -40 ${width + 42} ${height + 42}`, role: "img", "aria-label": words }, box);
  label(svg, `${axes[1]} →`, 0, -25, "start", "gm-axis");
  const side = draw("g", { transform: "translate(-27 0) rotate(90)" }, svg);
  label(side, `${axes[0]} →`, 0, 0, "start", "gm-axis");
  columns.forEach((name, j) => label(svg, String(name), (j + 0.5) * CELL, -6, "middle", "gm-number"));
  cells.forEach((line, i) => {
    label(svg, String(rows[i]), -11, (i + 0.5) * CELL + 5, "middle", "gm-number");
    line.forEach((kind, j) => {
      const place = { x: j * CELL + 1, y: i * CELL + 1, width: CELL - 2, height: CELL - 2, rx: 3 };
      draw("rect", { ...place, class: `gm-cell gm-${kind}` }, svg);
      if (kind === "leak") cross(svg, j * CELL, i * CELL);
    });
  });
  if (row !== undefined) draw("rect", { x: -1, y: row * CELL - 1, width: columns.length * CELL + 2, height: CELL + 2, rx: 4, class: "gm-row" }, svg);
}

/** The numbers of the columns where a row is open. */
function listed(line, columns) {
  const open = columns.filter((_, j) => ["open", "seen", "leak"].includes(line[j]));
  return open.length ? open.join(" ") : "none";
}

function cross(svg, x, y) {
  draw("path", { d: `M${x + 6} ${y + 6}l8 8m0-8l-8 8`, class: "gm-cross" }, svg);
}
