// A square plane in SVG: axes, rings and points, in the colour of the page's text.

import { placeUnder } from "./pointer.js";

const SIDE = 400;
const MARGIN = { left: 30, top: 8, right: 8, bottom: 22 };

/** A new SVG element with its attributes, inside `parent` where one is given. */
export function draw(name, attributes, parent) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent?.append(element);
  return element;
}

/** Plane coordinates in a window of half-width `extent` about its centre ↔ the units of the drawing. */
export function scale(extent, [cx, cy] = [0, 0]) {
  const unit = SIDE / (2 * extent);
  return {
    unit,
    place: ([x, y]) => [(x - cx + extent) * unit, (extent - y + cy) * unit],
    /** The plane coordinates under a pointer event. */
    read: (svg, event) => {
      const [x, y] = placeUnder(svg, event);
      return [x / unit - extent + cx, extent - y / unit + cy];
    },
  };
}

/** A number with a true minus sign. */
export function signed(value, digits = 0) {
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}

/** The distance of ticks in a window of half-width `extent`, and the decimals that they need. */
function ticksIn(extent) {
  if (extent >= 1) return [extent > 6 ? Math.ceil(extent / 5) : 1, 0];
  const power = Math.floor(Math.log10(extent));
  return [10 ** power * (extent < 5 * 10 ** power ? 1 : 2), -power];
}

/** An empty plane with a frame, ticks at round numbers and axis names. */
export function plane(extent, names, centre = [0, 0]) {
  const width = SIDE + MARGIN.left + MARGIN.right;
  const height = SIDE + MARGIN.top + MARGIN.bottom;
  const svg = draw("svg", { viewBox: `${-MARGIN.left} ${-MARGIN.top} ${width} ${height}`, class: "gm-plane" });
  draw("rect", { width: SIDE, height: SIDE, rx: 6, class: "gm-frame" }, svg);
  const { place } = scale(extent, centre);
  const [every, digits] = ticksIn(extent);
  centre.forEach((middle, axis) => {
    for (let k = Math.ceil((middle - extent) / every); k * every <= middle + extent; k++) {
      const at = place([k * every, k * every])[axis];
      const ends = axis ? { y1: at, y2: at, x1: 0, x2: SIDE } : { x1: at, x2: at, y1: 0, y2: SIDE };
      draw("line", { ...ends, class: k === 0 ? "gm-axis" : "gm-gridline" }, svg);
      label(svg, signed(k * every, digits), ...(axis ? [-7, at + 4, "end"] : [at, SIDE + 16, "middle"]));
    }
  });
  label(svg, names[0], SIDE - 8, SIDE - 9, "end");
  label(svg, names[1], 9, 18, "start");
  return svg;
}

/** Dashed circles at 1, 2, … standard deviations of a standard normal. */
export function rings(svg, extent) {
  const { unit, place } = scale(extent);
  const [cx, cy] = place([0, 0]);
  for (let radius = 1; radius <= Math.min(3, extent); radius++) {
    draw("circle", { cx, cy, r: radius * unit, class: "gm-ring" }, svg);
    label(svg, `${radius}σ`, cx + 0.707 * radius * unit + 3, cy - 0.707 * radius * unit - 3, "start", "gm-quiet");
  }
}

/** One dot a point, coloured by its class; `classes[i]` is the class of point i, 0 where there are none. */
export function dots(svg, { place }, points, classes, colours) {
  const group = draw("g", {}, svg);
  points.forEach((point, index) => {
    const [cx, cy] = place(point);
    const own = classes[index] ?? 0;
    draw("circle", { cx, cy, r: 3.6, fill: colours[own % colours.length], class: "gm-dot", "data-class": own }, group);
  });
  return group;
}

/** Words in a drawing. */
export function label(svg, text, x, y, anchor, kind = "gm-label") {
  draw("text", { x, y, "text-anchor": anchor, class: kind }, svg).textContent = text;
}
