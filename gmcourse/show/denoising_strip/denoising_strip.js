// The denoising strip: noise becomes a digit level by level, by a network that runs in the page, and the reader scrubs.

import { descent, spaced } from "./descent.js";
import { denoiser, unet } from "./unet.js";
import { button, explorer, make, range } from "../js/elements.js";
import { floats } from "../js/mlp.js";
import { newPixels } from "../js/pixels.js";
import { ask } from "../js/radios.js";
import { fillNormal, randomness } from "../js/random.js";

const CALLS = [1, 2, 4, 8, 16, 32, 50, 100];
const SMALL = 10; // pictures in the strip
const STEPS = [{ key: 0, words: "DDIM: no new noise" }, { key: 1, words: "DDPM: some is drawn anew" }];
const HINT =
  "Left: where the walk is, x̃ = x + σε, scaled to the spread of data. Middle: what the network takes it for, its estimate " +
  "of the mean of all digits that it could be. Right: the noise that is then left, ε* = (x̃ − x*)/σ, grey for 0. A step " +
  "goes down one level: x* with less of the noise ε*. The strip shows x* from the first step to the last; press one to go there.";

function unpack(model) {
  const [height, width] = model.get("shape");
  const [spread, centre] = [model.get("spread"), model.get("centre")];
  const net = unet(model.get("widths"), floats(model.get("weights")));
  const denoise = denoiser({ net, height, width, spread, centre, bounds: model.get("bounds") });
  const noise = Float64Array.from(floats(model.get("noise")));
  return { shape: { height, width }, spread, centre, denoise, sigmas: floats(model.get("sigmas")), noise };
}

function newTile(parent, shape, className, title, words) {
  const box = make("div", `gm-tile ${className}`, parent);
  make("div", "gm-title", box, title);
  return newPixels(box, shape, words);
}

/** The strip: `SMALL` pictures that are buttons. */
function newStrip(parent, shape, go) {
  const box = make("div", "gm-strip", parent);
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "x* from the first step to the last");
  return Array.from({ length: SMALL }, (_, place) => {
    const press = button(box, "", () => go(place));
    const picture = newPixels(press, shape, "");
    picture.svg.ariaHidden = "true"; // the button says it
    return { press, ...picture };
  });
}

/** A slider under its name, with its value in words. */
function newSetting(parent, name, last, act) {
  const box = make("div", "gm-setting", parent);
  const head = make("div", "gm-head", box);
  make("span", "gm-name", head, name);
  const words = make("span", "gm-value", head);
  words.ariaHidden = "true"; // the slider says it
  const slider = range(box, name, last, act);
  const put = (value, text) => {
    slider.value = value;
    words.textContent = text;
    slider.setAttribute("aria-valuetext", text);
  };
  return { slider, put };
}

function layOut(el, shape, act) {
  const root = explorer(el, "gm-denoising-strip gm-pills", "Noise becomes a digit, step by step, by a network in the page");
  const pictures = make("div", "gm-pictures", root);
  const noised = newTile(pictures, shape, "gm-noised", "x̃, scaled", "Where the walk is");
  const clean = newTile(pictures, shape, "gm-clean", "x*", "What the network takes it for");
  const noise = newTile(pictures, shape, "gm-noise", "ε*", "The noise that is left");
  const step = newSetting(root, "steps taken", 1, act.step);
  const strip = newStrip(root, shape, (place) => act.jump(place / (SMALL - 1)));
  const status = make("p", "gm-status", root);
  status.setAttribute("role", "status");
  const controls = make("div", "gm-controls", root);
  const calls = newSetting(controls, "network calls", CALLS.length - 1, act.calls);
  const radios = ask(controls, "Step", STEPS, act.fresh);
  button(controls, "New noise", act.again);
  make("p", "gm-hint", root, HINT);
  return { root, noised, clean, noise, step, strip, status, calls, radios };
}

const short = (sigma) => sigma.toFixed(sigma >= 10 || sigma === 0 ? 0 : sigma >= 0.1 ? 2 : 3);

/** The pictures of one moment, as ink from 0 to 1: x̃ with the spread of data, x*, and ε* around grey. */
function inks({ sigma, noised, clean }, { spread, centre }) {
  const ink = (values) => values.map((value) => Math.min(1, Math.max(0, value)));
  const shrink = spread / Math.hypot(spread, sigma);
  return {
    noised: ink(noised.map((value) => centre + shrink * (value - centre))),
    clean: ink(clean),
    noise: ink(noised.map((value, k) => 0.5 + (sigma ? (value - clean[k]) / sigma / 6 : 0))),
  };
}

function showMoment(parts, given, state) {
  const { moments, at } = state;
  const now = moments[at];
  const seen = inks(now, given);
  for (const name of ["noised", "clean", "noise"]) parts[name].paint(seen[name]);
  const end = moments.at(-1).noised;
  const away = Math.sqrt(now.clean.reduce((sum, value, k) => sum + (value - end[k]) ** 2, 0));
  const last = moments.length - 1;
  parts.step.put(at, `${at} of ${last}, σ = ${short(now.sigma)}`);
  parts.status.textContent =
    at < last
      ? `At σ = ${short(now.sigma)}, x* is ${away.toFixed(2)} away from the picture at the end.`
      : `The end: a sample, after ${last} network ${last === 1 ? "call" : "calls"}.`;
  const place = Math.round((at / last) * (SMALL - 1));
  parts.strip.forEach(({ press }, k) => press.setAttribute("aria-pressed", String(k === place)));
  parts.root.moments = moments;
  parts.root.dataset.at = at;
}

/** Walks down anew, and shows the moment that is as far along as the one before was. */
function walkAgain(parts, given, state) {
  const { calls, fresh, along, seed } = state;
  const { spread, centre, sigmas, denoise, noise } = given;
  const random = randomness(seed);
  const levels = spaced(sigmas, Math.min(calls, sigmas.length));
  const draws = seed ? fillNormal(new Float64Array(noise.length), random) : noise;
  const start = draws.map((value) => centre + Math.hypot(spread, levels[0]) * value);
  state.moments = descent(denoise, start, levels, fresh, random);
  const last = state.moments.length - 1;
  state.at = Math.round(along * last);
  parts.step.slider.max = last;
  parts.strip.forEach(({ press, paint }, k) => {
    const step = Math.round((k / (SMALL - 1)) * last);
    paint(inks(state.moments[step], given).clean);
    press.setAttribute("aria-label", `x* after ${step} of ${last} steps`);
  });
  parts.calls.put(CALLS.indexOf(calls), String(calls));
  showMoment(parts, given, state);
}

function render({ model, el }) {
  const given = unpack(model);
  const state = { calls: model.get("calls"), fresh: 0, along: model.get("along"), seed: 0 };
  const again = (changes) => walkAgain(parts, given, Object.assign(state, changes));
  const go = (at) => {
    Object.assign(state, { at, along: at / (state.moments.length - 1) });
    showMoment(parts, given, state);
  };
  const parts = layOut(el, given.shape, {
    step: go,
    jump: (along) => go(Math.round(along * (state.moments.length - 1))),
    calls: (place) => again({ calls: CALLS[place] }),
    fresh: (fresh) => again({ fresh }),
    again: () => again({ seed: state.seed + 1 }),
  });
  parts.radios[0].checked = true;
  again({});
}

export default { render };
