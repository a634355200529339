// The stage's buttons, choices and numbers, laid out in the page.

import { newChart } from "./chart.js";
import { SET_LABELS } from "./data.js";
import { LOSSES } from "./losses.js";
import { button, explorer, make, range } from "../js/elements.js";
import { listenToKeys } from "../js/keys.js";
import { draw, plane } from "../js/plot.js";

const RATES = [0.0001, 0.0003, 0.001, 0.002, 0.004, 0.01, 0.03, 0.1];
const ROUNDS = [[1, 1], [5, 1], [20, 1], [1, 5], [1, 10]];
const LAYERS = [
  ["heat", "critic’s heat map"],
  ["grid", "warped latent grid"],
  ["real", "real points"],
  ["fake", "fakes"],
  ["arrows", "where the generator is told to move them"],
];
/** Rounds a frame; below 1, a round every so many frames of 1/60 second. */
const SPEEDS = [[1 / 15, "4 rounds a second"], [1, "1 round a frame"], [5, "5 rounds a frame"], [1000, "as fast as it goes"]];
const HINT =
  "A critic’s step moves the colours; a generator’s step moves the green diamonds along the arrows, which grow with the " +
  "slope up to a tenth of the window. Each cell of the warped grid holds equally many samples.";
const KEYS =
  "By keyboard: Tab to the plane, then Space plays and pauses, C, G and B step the critic, the generator or both, R resets, " +
  "← and → walk through what was. While drawing, the arrow keys move the cursor (Shift: further), Space drops a blob of " +
  "points, Esc ends.";

/** A labelled menu of [value, text] pairs; act(value's place in the menu) when one is chosen. */
function choice(parent, text, options, chosen, act) {
  const label = make("label", "gm-choice", parent);
  make("span", "", label, text);
  const select = make("select", "", label);
  for (const [, name] of options) make("option", "", select, name);
  select.selectedIndex = Math.max(0, options.findIndex(([value]) => String(value) === String(chosen)));
  select.addEventListener("change", () => act(options[select.selectedIndex][0]));
  listenToKeys(select, () => false);
  return select;
}

function rateOptions(given) {
  const rates = RATES.includes(given) ? RATES : [...RATES, given].sort((a, b) => a - b);
  return rates.map((rate) => [rate, String(rate)]);
}

function roundOptions(given) {
  const known = ROUNDS.some((round) => String(round) === String(given));
  return (known ? ROUNDS : [given, ...ROUNDS]).map((round) => [round, `${round[0]} critic : ${round[1]} generator`]);
}

/** One player's card: its steps, its loss now, its learning rate, and a button for one step of it. */
function card(parent, name, title, rate, act) {
  const box = make("div", `gm-card gm-card-${name}`, parent);
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", title);
  const head = make("div", "gm-head", box);
  make("span", "gm-title", head, title);
  const count = make("span", "gm-count", head, "0");
  make("span", "gm-unit", head, "steps");
  const [loss, balance] = [make("div", "gm-now", box), make("div", "gm-balance", box)];
  const row = make("div", "gm-row", box);
  choice(row, "learning rate", rateOptions(rate), rate, (value) => act.set({ [`${name}Rate`]: value }));
  button(row, "Step", () => act.step(name), "", `Step of the ${name}`);
  return { count, loss, balance };
}

/** The legend, whose entries switch their layers on and off. */
function legend(parent, layers, act) {
  const list = make("div", "gm-legend", parent);
  list.setAttribute("role", "group");
  list.setAttribute("aria-label", "Layers of the picture: press one to hide or show it");
  for (const [name, text] of LAYERS.filter(([name]) => name in layers)) {
    const entry = button(list, text, () => {
      layers[name] = !layers[name];
      entry.setAttribute("aria-pressed", String(layers[name]));
      act.show();
    }, `gm-layer gm-layer-${name}`);
    entry.setAttribute("aria-pressed", String(layers[name]));
  }
}

/** Canvas and axes, one above the other; the focusable part of the picture, with the drawing's cursor. */
function stagePlane(parent, { extent, centre }) {
  const box = make("div", "gm-stage", parent);
  box.tabIndex = 0;
  box.setAttribute("role", "application");
  box.setAttribute("aria-label", "The stage: Space plays and pauses, C, G and B step, R resets, left and right scrub");
  const canvas = make("canvas", "", box);
  const svg = plane(extent, ["x₁", "x₂"], centre);
  box.append(svg);
  const cursor = draw("g", { class: "gm-cursor" }, svg);
  for (const d of ["M-14 0H-5M5 0H14M0 -14V-5M0 5V14", "M-9 0A9 9 0 1 1 9 0A9 9 0 1 1 -9 0"]) draw("path", { d }, cursor);
  const legendOfHeat = make("div", "gm-scale", parent);
  const [low, high] = [make("span", "", legendOfHeat), make("span", "gm-right-end", legendOfHeat)];
  make("i", "", legendOfHeat).ariaHidden = "true";
  return { box, canvas, svg, cursor, low, high };
}

function settings(parent, given, act) {
  const sets = [["given", given.name], ...SET_LABELS, ["drawn", "drawn by you"]];
  const data = choice(parent, "data", sets, "given", (name) => act.choose(name));
  const kinds = Object.entries(LOSSES).map(([kind, { label }]) => [kind, label]);
  choice(parent, "loss", kinds, given.kind, (kind) => act.set({ kind }));
  choice(parent, "steps a round", roundOptions(given.round), given.round, (round) => act.set({ round }));
  return { sets: sets.map(([name]) => name), data };
}

function transport(parent, speed, act) {
  const bar = make("div", "gm-bar", parent);
  bar.setAttribute("role", "group");
  bar.setAttribute("aria-label", "Training");
  const play = button(bar, "▶ Play", () => act.play(), "gm-play");
  button(bar, "Step both", () => act.step("both"), "", "Step both: one round, critic, then generator");
  button(bar, "Reset", () => act.reset());
  const drawing = button(bar, "Draw your own", () => act.draw(), "gm-draw");
  const clear = button(bar, "Clear", () => act.clear(), "", "Clear the drawn points");
  choice(bar, "speed", SPEEDS, speed, (value) => act.set({ speed: value }));
  return { play, drawing, clear };
}

function timeline(parent, act) {
  const row = make("div", "gm-time", parent);
  make("span", "", row, "go back").ariaHidden = "true";
  const slider = range(row, "go back", 0, act.scrub);
  const words = make("span", "gm-when", row);
  words.ariaHidden = "true"; // the slider says it
  return { slider, words };
}

/** Everything that stands in the page; `act` holds what the controls do. */
export function layOut(el, given, layers, speed, act) {
  const root = explorer(el, "gm-gan-stage", "GAN stage: a generator and a critic that train in the page");
  const bar = transport(root, speed, act);
  const status = make("div", "gm-status", root);
  status.setAttribute("role", "status");
  const body = make("div", "gm-body", root);
  const left = make("div", "gm-left", body);
  const stage = stagePlane(left, given);
  legend(left, layers, act);
  const right = make("div", "gm-right", body);
  const cards = {
    critic: card(right, "critic", "Critic", given.criticRate, act),
    generator: card(right, "generator", "Generator", given.generatorRate, act),
  };
  const menus = settings(right, given, act);
  const time = timeline(root, act);
  const chart = newChart(root);
  make("p", "gm-hint", root, HINT);
  make("p", "gm-hint", root, KEYS);
  return { root, bar, stage, cards, menus, time, chart, status };
}
