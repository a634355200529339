// The noisy drawing: the reader draws, a slider adds noise, and a network in the page takes it off again.

import { corrupted, distance, drawsOf } from "./noise.js";
import { addButtons, listenToCursor, listenToPointer, newTile } from "../js/drawing.js";
import { button, explorer, make, range } from "../js/elements.js";
import { floats, forward } from "../js/mlp.js";
import { newDrawing } from "../js/pixels.js";
import { ask } from "../js/radios.js";

const STEPS = 20; // of the slider, from 0 to 1
const NOISES = [
  { key: "gaussian", words: "Gaussian: x̃ = x + σε" },
  { key: "masking", words: "masking: a share ν set to 0" },
];
const HINT =
  "Draw in the left picture: press or drag; or focus it, move by the arrow keys and press Space for half ink, ink, paper. " +
  "x̃ and r(x̃) may lie outside 0 to 1: less is shown as paper, more as ink, and the distances are those of the numbers.";

function layOut(el, shape) {
  const root = explorer(el, "gm-noisy-drawing gm-pills", "Draw a digit, add noise, and see what a network makes of it");
  const pictures = make("div", "gm-pictures", root);
  const board = newTile(pictures, shape, "gm-board", "Your picture x", "Your picture x", newDrawing);
  const bar = make("div", "gm-buttons", board.box);
  const noisy = newTile(pictures, shape, "gm-noisy", "Noisy x̃", "The noisy picture x̃");
  const denoised = newTile(pictures, shape, "gm-denoised", "Denoised r(x̃)", "The denoised picture r(x̃)");
  const status = make("p", "gm-status", root);
  status.setAttribute("role", "status");
  const controls = make("div", "gm-controls", root);
  make("p", "gm-hint", root, HINT);
  return { root, board, bar, noisy, denoised, status, controls };
}

/** What is made of the picture now, and how far the three lie from each other. */
function answer(networks, { image, network, kind, level, draws }) {
  const noisy = corrupted(image, kind, level / STEPS, draws);
  const denoised = networks[network](noisy);
  const [noise, residual, left] = [distance(noisy, image), distance(denoised, noisy), distance(denoised, image)];
  return { image, noisy, denoised, noise, residual, left };
}

const levelInWords = ({ kind, level }) => `${kind === "masking" ? "ν" : "σ"} = ${(level / STEPS).toFixed(2)}`;

function showAnswer(parts, networks, state) {
  const shown = answer(networks, state);
  const [noise, residual, left] = [shown.noise, shown.residual, shown.left].map((length) => length.toFixed(2));
  parts.board.paint(shown.image);
  parts.board.point(state.at);
  parts.noisy.paint(shown.noisy);
  parts.denoised.paint(shown.denoised);
  parts.noisy.caption.textContent = `‖x̃ − x‖ = ${noise}`;
  parts.denoised.caption.textContent = `‖r(x̃) − x‖ = ${left}`;
  parts.status.textContent = `The residual r(x̃) − x̃ has length ${residual}. It brings the noisy picture from ${noise} to ${left} away from yours.`;
  parts.level.textContent = levelInWords(state);
  parts.slider.setAttribute("aria-valuetext", levelInWords(state));
  parts.root.shown = shown;
}

/** The choices of the noise, of its level, and of the network where there are several. */
function addControls(parts, names, state, show) {
  const choose = (name) => (value) => show(Object.assign(state, { [name]: value }));
  const options = names.map((words, key) => ({ key, words }));
  const radios = [["Noise", NOISES, "kind"], ["Network", options, "network"]].filter(([, all]) => all.length > 1);
  for (const [question, all, name] of radios) {
    for (const radio of ask(parts.controls, question, all, choose(name))) radio.checked = radio.value === String(state[name]);
  }
  const row = make("div", "gm-row", parts.controls);
  parts.level = make("div", "gm-level", row);
  parts.slider = range(row, "Level of the noise", STEPS, choose("level"));
  parts.slider.value = state.level;
  button(row, "New noise", () => show((state.draws = drawsOf(state.image.length, (state.seed += 1)))));
}

/** The traits as numbers: pictures, networks, and the draws that the noise begins with. */
function unpack(model) {
  const [height, width] = model.get("shape");
  const flat = floats(model.get("images"));
  const size = height * width;
  const weights = model.get("weights").map(floats);
  return {
    shape: { height, width },
    images: Array.from({ length: flat.length / size }, (_, k) => flat.slice(k * size, (k + 1) * size)),
    networks: model.get("layers").map((layers, k) => forward.bind(null, layers, weights[k])),
    draws: { normal: floats(model.get("normal")), uniform: floats(model.get("uniform")) },
  };
}

function render({ model, el }) {
  const { shape, images, networks, draws } = unpack(model);
  const parts = layOut(el, shape);
  const state = { image: images[0], at: [0, 0], example: 0, erases: false, network: 0, draws, seed: 0 };
  Object.assign(state, { kind: model.get("noise"), level: Math.round(STEPS * model.get("level")) });
  const show = () => showAnswer(parts, networks, state);
  addButtons(parts.bar, images, state, show);
  addControls(parts, model.get("names"), state, show);
  listenToPointer(parts.board, shape, state, show);
  listenToCursor(parts.board, shape, state, show);
  show();
}

export default { render };
