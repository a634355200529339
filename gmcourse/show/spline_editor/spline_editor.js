// The spline editor: drag knots and slopes; the curve, its slope and the density that it makes follow.

import { button, explorer, make } from "../js/elements.js";
import { listenToKeys, moved } from "../js/keys.js";
import { draw, label, signed } from "../js/plot.js";
import { follow, placeUnder } from "../js/pointer.js";
import { densityAt, diagonal, massOf, placesOver, splineAt, withKnot, withSlope } from "./spline.js";

const WIDE = 400;
const LEVER = 44;
const STEP = 0.1;
const HINT =
  "Drag a knot, or the small ring on its lever for the slope. By keyboard: Tab to one, then the arrow keys; Shift takes " +
  "larger steps, Home leads a knot to the diagonal and a slope to 1.";

/** One of three drawings over the same x: its place, its range of values and the ticks on its left. */
function panelsFor(extent) {
  const slopes = [0.1, 0.3, 1, 3, 10];
  const whole = Array.from({ length: 2 * Math.floor(extent) + 1 }, (_, i) => i - Math.floor(extent));
  return {
    curve: { top: 20, tall: 290, low: -extent, high: extent, ticks: whole.map((z) => [z, signed(z)]), title: "curve z(x)" },
    slope: {
      ...{ top: 344, tall: 96, low: Math.log(0.04), high: Math.log(25) },
      ...{ ticks: slopes.map((d) => [Math.log(d), String(d)]), title: "slope ∂z/∂x, on a logarithmic axis: its height is the log-det" },
    },
    density: { top: 474, tall: 110, low: 0, high: 1.2, ticks: [[0, "0"], [0.5, "0.5"], [1, "1"]], title: "density p(x) = N(z(x)) ∂z/∂x" },
  };
}

function across(x, extent) {
  return ((x + extent) / (2 * extent)) * WIDE;
}

function down(value, { top, tall, low, high }) {
  return top + tall * (1 - (Math.min(high, Math.max(low, value)) - low) / (high - low));
}

/** Frames, ticks and titles of the three panels; what moves is drawn into them later. */
function frameOf(extent, panels) {
  const svg = draw("svg", { viewBox: `-34 0 ${WIDE + 42} 610`, class: "gm-spline-plot" });
  for (const panel of Object.values(panels)) {
    draw("rect", { y: panel.top, width: WIDE, height: panel.tall, rx: 5, class: "gm-frame" }, svg);
    label(svg, panel.title, 0, panel.top - 7, "start", "gm-name");
    for (const [value, text] of panel.ticks) {
      const y = down(value, panel);
      draw("line", { x1: 0, x2: WIDE, y1: y, y2: y, class: "gm-gridline" }, svg);
      label(svg, text, -6, y + 4, "end");
    }
  }
  for (let x = -Math.floor(extent); x <= extent; x++) label(svg, signed(x), across(x, extent), 602, "middle");
  label(svg, "x", WIDE, 602, "end", "gm-name");
  return svg;
}

function line(points) {
  return points.map(([x, y], index) => `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
}

/** A focusable handle of an SVG group, with a reach that a finger can hit. */
function handle(svg, kind, name, description) {
  const knob = draw("g", { class: `gm-handle ${kind}`, tabindex: 0, role: "slider", "aria-label": name }, svg);
  if (description) knob.setAttribute("aria-roledescription", description);
  const sizes = kind === "gm-knot" ? [20, 12, 7] : [15, 9, 4.5];
  ["gm-reach", "gm-focus", "gm-knob"].forEach((part, index) => draw("circle", { r: sizes[index], class: part }, knob));
  return knob;
}

/** Calls go([x, y] in units of the drawing) while the handle is held; it has the focus from then on. */
function dragHandle(svg, knob, go) {
  follow(knob, (event) => go(placeUnder(svg, event)), () => knob.focus({ preventScroll: true }));
}

function say(knob, low, value, high, text) {
  for (const [key, shown] of Object.entries({ min: low, now: value, max: high, text })) {
    knob.setAttribute(`aria-value${key}`, typeof shown === "number" ? Number(shown.toFixed(3)) : shown);
  }
}

/** Everything that stands in the page, in the order in which it is drawn. */
function layOut(el, extent, count) {
  const root = explorer(el, "gm-spline-editor", "Spline editor: move knots and slopes, and see curve, slope and density");
  const panels = panelsFor(extent);
  const svg = frameOf(extent, panels);
  root.append(svg);
  const [a, b] = [across(-extent, extent), across(extent, extent)];
  draw("line", { x1: a, x2: b, y1: down(-extent, panels.curve), y2: down(extent, panels.curve), class: "gm-quiet" }, svg);
  const normal = Array.from({ length: 101 }, (_, i) => -extent + (2 * extent * i) / 100);
  const straight = [[0, 0, 1], [0, 0, 1]]; // no inside: z = x everywhere
  const hill = (x) => [across(x, extent), down(densityAt(x, straight), panels.density)];
  const rules = Array.from({ length: count }, () => draw("path", { class: "gm-rule" }, svg));
  const area = draw("path", { class: "gm-area" }, svg);
  draw("path", { d: line(normal.map(hill)), class: "gm-quiet" }, svg);
  const paths = Object.fromEntries(Object.keys(panels).map((name) => [name, draw("path", { class: "gm-line" }, svg)]));
  const inner = Array.from({ length: count - 2 }, (_, index) => index + 1);
  const levers = inner.map(() => draw("line", { class: "gm-lever" }, svg));
  const slopes = inner.map((m) => handle(svg, "gm-slope", `Slope at knot ${m} of ${count - 2}`));
  const places = inner.map((m) => handle(svg, "gm-knot", `Knot ${m} of ${count - 2}`, "two-dimensional slider"));
  inner.forEach((_, index) => svg.append(places[index], slopes[index]));
  const status = make("div", "gm-status", root);
  const buttons = make("div", "gm-buttons", root);
  make("p", "gm-hint", root, HINT);
  return { root, svg, panels, rules, area, paths, levers, slopes, places, status, buttons };
}

/** The end of a knot's lever: a fixed length along the tangent, as it is seen. */
function leverEnd([x, z, slope], extent, panel) {
  const [right, up] = [WIDE / (2 * extent), (slope * panel.tall) / (2 * extent)];
  const size = LEVER / Math.hypot(right, up);
  return [across(x, extent) + size * right, down(z, panel) - size * up];
}

function drawCurves(view, knots, extent) {
  const { curve, slope, density } = view.panels;
  const places = placesOver(knots, extent);
  const seen = places.map((x) => [across(x, extent), ...splineAt(x, knots)]);
  view.paths.curve.setAttribute("d", line(seen.map(([at, z]) => [at, down(z, curve)])));
  view.paths.slope.setAttribute("d", line(seen.map(([at, , d]) => [at, down(Math.log(d), slope)])));
  const outline = line(places.map((x) => [across(x, extent), down(densityAt(x, knots), density)]));
  const floor = down(0, density);
  view.paths.density.setAttribute("d", outline);
  view.area.setAttribute("d", `${outline}L${WIDE} ${floor}L0 ${floor}Z`);
  view.rules.forEach((rule, m) => {
    const at = across(knots[m][0], extent).toFixed(1);
    const parts = Object.values(view.panels).map(({ top, tall }) => `M${at} ${top}v${tall}`);
    rule.setAttribute("d", parts.join(""));
  });
}

function placeHandles(view, knots, extent) {
  view.places.forEach((knob, index) => {
    const [x, z, slope] = knots[index + 1];
    const [left, right] = [knots[index], knots[index + 2]];
    const [at, y] = [across(x, extent), down(z, view.panels.curve)];
    const [end, high] = leverEnd(knots[index + 1], extent, view.panels.curve);
    knob.setAttribute("transform", `translate(${at} ${y})`);
    view.slopes[index].setAttribute("transform", `translate(${end} ${high})`);
    for (const [key, value] of Object.entries({ x1: at, y1: y, x2: end, y2: high })) view.levers[index].setAttribute(key, value);
    say(knob, left[0], x, right[0], `x = ${signed(x, 2)}, z = ${signed(z, 2)}`);
    say(view.slopes[index], 0.05, slope, 20, `slope ${slope.toFixed(2)}, log-det ${signed(Math.log(slope), 2)}`);
  });
}

function render({ model, el }) {
  const start = model.get("knots");
  const extent = model.get("extent");
  const view = layOut(el, extent, start.length);
  let chosen = 1;
  const go = (knots) => {
    model.set("knots", knots);
    model.save_changes();
  };
  function show() {
    const knots = model.get("knots");
    drawCurves(view, knots, extent);
    placeHandles(view, knots, extent);
    const [x, z, slope] = knots[chosen];
    const here = `knot ${chosen}: x = ${signed(x, 2)}, z = ${signed(z, 2)}, slope ${slope.toFixed(2)}`;
    const then = `log-det ${signed(Math.log(slope), 2)}, density ${densityAt(x, knots).toFixed(2)}`;
    view.status.textContent = `${here}, ${then}; area under the density ${massOf(knots).toFixed(3)}`;
    view.root.dataset.knots = JSON.stringify(knots);
  }
  const unit = (panel) => [WIDE / (2 * extent), panel.tall / (2 * extent)];
  view.places.forEach((knob, index) => {
    const [right, up] = unit(view.panels.curve);
    const at = ([left, top]) => [left / right - extent, extent - (top - view.panels.curve.top) / up];
    const put = (place) => go(withKnot(model.get("knots"), index + 1, place));
    dragHandle(view.svg, knob, (point) => put(at(point)));
    listenToKeys(knob, (key, shift) => {
      const knots = model.get("knots");
      const place = key === "Home" ? diagonal(knots)[index + 1] : moved(knots[index + 1], key, shift, STEP);
      if (place) put(place.slice(0, 2));
      return place !== null;
    });
    const tilt = (slope) => go(withSlope(model.get("knots"), index + 1, slope));
    dragHandle(view.svg, view.slopes[index], (point) => {
      const [x, z] = at(point);
      const [x0, z0] = model.get("knots")[index + 1];
      tilt(x > x0 ? (z - z0) / (x - x0) : z > z0 ? Infinity : 0);
    });
    listenToKeys(view.slopes[index], (key, shift) => {
      const change = moved([0, 0], key, shift, 1);
      if (key === "Home") tilt(1);
      else if (change) tilt(model.get("knots")[index + 1][2] * 2 ** ((change[0] + change[1]) / 4));
      return change !== null;
    });
    for (const one of [knob, view.slopes[index]]) {
      one.addEventListener("focus", () => {
        chosen = index + 1;
        show();
      });
    }
  });
  button(view.buttons, "Straight", () => go(diagonal(start)));
  button(view.buttons, "As it was", () => go(start));
  model.on("change:knots", show);
  show();
  return () => model.off("change:knots", show);
}

export default { render };
