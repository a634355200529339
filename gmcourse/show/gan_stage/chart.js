// The losses over the steps, with the values of the equilibrium.

import { make } from "../js/elements.js";
import { draw, signed } from "../js/plot.js";

const [WIDE, TALL] = [600, 120];

/** An empty chart: two lines, two dashed limits, a rule at the moment that is shown, and room for numbers. */
export function newChart(parent) {
  const box = make("div", "gm-chart", parent);
  const key = make("div", "gm-key", box, "loss of the");
  for (const name of ["critic", "generator"]) make("span", `gm-of-${name}`, key, name);
  make("span", "gm-dashed", key, "at the equilibrium");
  const svg = draw("svg", { viewBox: `0 0 ${WIDE} ${TALL}`, preserveAspectRatio: "none", role: "img" }, null);
  const frame = make("div", "gm-chart-frame", box);
  frame.append(svg);
  draw("rect", { width: WIDE, height: TALL, class: "gm-frame" }, svg);
  const paths = {};
  for (const name of ["critic", "generator"]) {
    paths[name] = {
      limit: draw("path", { class: `gm-limit gm-of-${name}` }, svg),
      line: draw("path", { class: `gm-loss gm-of-${name}` }, svg),
      word: make("span", `gm-word gm-of-${name}`, frame),
    };
  }
  const rule = draw("path", { class: "gm-rule" }, svg);
  const [high, low] = [make("span", "gm-high", frame), make("span", "gm-low", frame)];
  const steps = make("div", "gm-steps", box);
  return { svg, paths, rule, high, low, steps };
}

/** A range that holds the limits and nearly all of the losses. */
function rangeOf(losses, limits) {
  const sorted = losses.flatMap((pairs) => pairs.map(([, loss]) => loss)).sort((a, b) => a - b);
  if (!sorted.length) return limits.length ? [Math.min(0, ...limits) - 0.3, Math.max(...limits) + 0.3] : [-1, 1];
  const cut = Math.floor(sorted.length / 50);
  const low = Math.min(sorted[cut], ...limits);
  const high = Math.max(sorted[sorted.length - 1 - cut], ...limits);
  const margin = 0.08 * (high - low) || 0.5;
  return [low - margin, high + margin];
}

/** Draws `losses` ({critic, generator}: [steps, loss] pairs) and the rule at `now`; `limits` as in LOSSES. */
export function drawChart(chart, losses, limits, now, last) {
  const names = ["critic", "generator"];
  const known = names.filter((name) => limits[name]);
  const [low, high] = rangeOf(names.map((name) => losses[name]), known.map((name) => limits[name][0]));
  const across = (step) => ((step / Math.max(1, last)) * WIDE).toFixed(1);
  const down = (loss) => (Math.min(1, Math.max(0, (high - loss) / (high - low))) * TALL).toFixed(1);
  for (const name of names) {
    const { line, limit, word } = chart.paths[name];
    const points = losses[name].map(([step, loss], k) => `${k ? "L" : "M"}${across(step)} ${down(loss)}`);
    line.setAttribute("d", points.join(""));
    limit.setAttribute("d", limits[name] ? `M0 ${down(limits[name][0])}H${WIDE}` : "");
    word.textContent = limits[name] ? limits[name][1] : "";
    if (limits[name]) word.style.top = `${(100 * down(limits[name][0])) / TALL}%`;
  }
  chart.rule.setAttribute("d", now < last ? `M${across(now)} 0V${TALL}` : "");
  chart.high.textContent = signed(high, 1);
  chart.low.textContent = signed(low, 1);
  chart.steps.textContent = `steps of both players, 0 to ${last.toLocaleString("en")}`;
  chart.svg.setAttribute("aria-label", `Losses of critic and generator over ${last} steps`);
}
