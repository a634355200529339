// The score field's buttons, sliders and numbers, laid out in the page.

import { MOST_MODES, POSITIONS, middles, positionOf, scoreError, stepLength } from "./state.js";
import { walkersShares } from "./walk.js";
import { button, explorer, make, range } from "../js/elements.js";
import { draw, label, plane, scale, signed } from "../js/plot.js";
import { ask } from "../js/radios.js";

export const RELATIVE = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];
export const SPEEDS = [1, 2, 5, 10, 20, 50];
const KEY = [["density", "density p_σ"], ["arrows", "the score that is followed"], ["walkers", "walkers"]];
const HINT =
  "An arrow points up the score. It grows with the way s(x)(s² + σ²) that the score would send a walker, up to its cell. " +
  "A step is x + η s(x) + √(2η) ε with η = r max(σ, s)², where s is the spread of the narrowest Gaussian. The score of " +
  "points that you draw is exact, too: a narrow Gaussian on each. The network learns to denoise draws of the data at all levels.";
const KEYS =
  "By keyboard: Tab to the plane, then Space walks and pauses, A anneals, R scatters the walkers, ← and → change the level. " +
  "While drawing, the arrow keys move the cursor (Shift: further), Space drops points, Esc ends.";

function transport(parent, act) {
  const bar = make("div", "gm-bar", parent);
  bar.setAttribute("role", "group");
  bar.setAttribute("aria-label", "The walk and its data");
  const walk = button(bar, "▶ Walk", () => act.walk(), "gm-play");
  const anneal = button(bar, "▶ Anneal", () => act.anneal(), "", "Anneal: new walkers, from the largest level down");
  button(bar, "Scatter", () => act.scatter(), "", "Scatter the walkers over the window");
  const drawing = button(bar, "Draw your own", () => act.draw(), "gm-draw");
  const clear = button(bar, "Clear", () => act.clear(), "", "Clear the drawn points");
  const given = button(bar, "Back", () => act.given(), "", "Back to the lesson’s data");
  return { walk, anneal, drawing, clear, given };
}

function stagePlane(parent) {
  const box = make("div", "gm-stage", parent);
  box.tabIndex = 0;
  box.setAttribute("role", "application");
  box.setAttribute("aria-label", "The plane: Space walks and pauses, A anneals, R scatters, left and right change the level");
  const canvas = make("canvas", "", box);
  const axes = make("div", "gm-axes", box);
  const key = make("div", "gm-key", parent);
  for (const [name, words] of KEY) make("span", `gm-of-${name}`, key, words);
  return { box, canvas, axes };
}

/** A slider under its name, with its value in words. */
function setting(parent, name, last, act) {
  const box = make("div", "gm-setting", parent);
  const head = make("div", "gm-head", box);
  make("span", "gm-name", head, name);
  const words = make("span", "gm-value", head);
  words.ariaHidden = "true"; // the slider says it
  return { slider: range(box, name, last, act), words };
}

function shareTable(parent) {
  const table = make("table", "gm-shares", parent);
  const head = make("tr", "", make("thead", "", table));
  for (const words of ["mode", "walkers", "exact"]) make("th", "", head, words).scope = "col";
  const body = make("tbody", "", table);
  const rows = Array.from({ length: MOST_MODES }, () => {
    const row = make("tr", "", body);
    const name = make("th", "", row);
    name.scope = "row";
    const [now, exact] = [make("td", "gm-now", row), make("td", "", row)];
    return { row, name, now, exact };
  });
  return { table, rows };
}

/** Whose score is followed, and the training of the network. */
function learner(parent, act) {
  const box = make("div", "gm-learner", parent);
  const options = [{ key: "exact", words: "exact" }, { key: "network", words: "of a network" }];
  const radios = ask(box, "Score", options, act.source);
  const train = button(box, "", () => act.train(), "gm-train");
  return { radios, train, words: make("div", "gm-count", box) };
}

/** Everything that stands in the page; `act` holds what the controls do. */
export function layOut(el, act) {
  const root = explorer(el, "gm-score-field gm-pills", "A score field, and walkers on it");
  const bar = transport(root, act);
  const status = make("div", "gm-status", root);
  status.setAttribute("role", "status");
  const body = make("div", "gm-body", root);
  const stage = stagePlane(make("div", "gm-left", body));
  const right = make("div", "gm-right", body);
  const level = setting(right, "noise level σ", POSITIONS - 1, act.level);
  const relative = setting(right, "step r", RELATIVE.length - 1, act.relative);
  const speed = setting(right, "steps a frame", SPEEDS.length - 1, act.speed);
  const shares = shareTable(right);
  const count = make("div", "gm-count", right);
  const learning = learner(right, act);
  make("p", "gm-hint", root, HINT);
  make("p", "gm-hint", root, KEYS);
  return { root, bar, status, stage, level, relative, speed, shares, count, learning };
}

/** The axes anew where the window has changed, with the modes' numbers and the cursor on them. */
function tellAxes(field, { stage, shares }) {
  const { extent, given, smooth, cursor } = field;
  if (stage.smooth !== smooth) {
    const svg = plane(extent, ["x₁", "x₂"], given.centre);
    const { place } = scale(extent, given.centre);
    if (shares.shown > 1) {
      middles(field).map(place).forEach(([x, y], mode) => label(svg, String(mode + 1), x, y + 5, "middle", "gm-mode"));
    }
    const cross = draw("g", { class: "gm-cursor" }, svg);
    for (const d of ["M-14 0H-5M5 0H14M0 -14V-5M0 5V14", "M-9 0A9 9 0 1 1 9 0A9 9 0 1 1 -9 0"]) draw("path", { d }, cross);
    stage.axes.replaceChildren(svg);
    Object.assign(stage, { svg, smooth, cross });
  }
  stage.cross.setAttribute("transform", `translate(${scale(extent, given.centre).place(cursor).join(" ")})`);
}

function tellShares(field, { shares, count }) {
  const [now, places] = [walkersShares(field.mixture, field.walkers), middles(field)];
  shares.shown = places.length;
  shares.table.hidden = places.length < 2;
  shares.rows.forEach(({ row, ...cells }, mode) => {
    row.hidden = mode >= places.length;
    if (row.hidden) return;
    cells.name.textContent = `${mode + 1}: (${places[mode].map((value) => signed(value, 1)).join(", ")})`;
    cells.now.textContent = now[mode].toFixed(2);
    cells.now.style.setProperty("--share", now[mode]);
    cells.exact.textContent = field.exact[mode].toFixed(2);
  });
  count.textContent = `${field.steps.toLocaleString("en")} steps, ${(field.walkers.at.length / 2).toLocaleString("en")} walkers`;
  return now;
}

function tellSetting({ slider, words }, position, text) {
  slider.value = position;
  words.textContent = text;
  slider.setAttribute("aria-valuetext", text);
}

function tellLearning(field, { radios, train, words }) {
  const { learner, source, training } = field;
  for (const radio of radios) radio.checked = radio.value === source;
  train.textContent = training ? "❚❚ Stop training" : "▶ Train a network here";
  const { count } = learner.moments;
  const off = () => `score off by ${scoreError(field).toFixed(2)}/√(s² + σ²) at the walkers`;
  const told = count ? `loss ${learner.loss.toFixed(2)}; ${off()}` : "not trained yet";
  words.textContent = `${count.toLocaleString("en")} steps of training, ${told}`;
}

const short = (value) => (value === 0 ? "0" : value.toFixed(Math.max(0, Math.min(4, 1 - Math.floor(Math.log10(value))))));

/** All numbers, words and controls. */
export function tell(field, page) {
  const now = tellShares(field, page);
  tellAxes(field, page);
  const { mode, drawing, set, sigma, relative, speed, drawn, steps, frames } = field;
  tellSetting(page.level, positionOf(field), `σ = ${short(sigma)}`);
  tellSetting(page.relative, RELATIVE.indexOf(relative), `r = ${relative}, η = ${field.smooth.x.length ? short(stepLength(field)) : "…"}`);
  tellSetting(page.speed, SPEEDS.indexOf(speed), String(speed));
  tellLearning(field, page.learning);
  const { bar, stage, root } = page;
  bar.walk.textContent = mode === "walk" ? "❚❚ Pause" : "▶ Walk";
  bar.anneal.textContent = mode === "anneal" ? "❚❚ Stop" : "▶ Anneal";
  bar.drawing.textContent = drawing ? "Done drawing" : "Draw your own";
  bar.drawing.setAttribute("aria-pressed", String(drawing));
  bar.clear.hidden = bar.given.hidden = set !== "drawn";
  stage.box.classList.toggle("gm-draws", drawing);
  Object.assign(root.dataset, { mode, drawing, set, sigma, steps, frames, points: drawn.length, shares: now.join() });
  Object.assign(root.dataset, { source: field.source, trained: field.learner.moments.count });
}
