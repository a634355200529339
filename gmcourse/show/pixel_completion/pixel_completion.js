// Pixel completion: the reader draws the upper rows of a digit, the model draws the rest, in the page.

import { complete, pixelCNN } from "./pixelcnn.js";
import { button, explorer, make, range } from "../js/elements.js";
import { floats } from "../js/mlp.js";
import { newDrawing, newPixels, steer } from "../js/pixels.js";
import { draw, signed } from "../js/plot.js";
import { follow, placeUnder } from "../js/pointer.js";
import { randomness } from "../js/random.js";

const WAYS = 64; // drawn each time, of which the first SHOWN are seen
const SHOWN = 8;
const HINT =
  "Draw in the upper rows: press or drag; or focus the grid, move by the arrow keys and press Space. The model has seen only whole " +
  "digits: what is no upper part of a digit has a low ln p, and the rest that it draws is a guess far from its data.";

function newTile(parent, shape, words) {
  const box = make("div", "gm-tile", parent);
  const view = newPixels(box, shape, words);
  return { ...view, box, caption: make("div", "gm-caption", box) };
}

/** The grid that is drawn on, with its cursor, and the line between what is given and what is drawn. */
function newBoard(parent, shape) {
  const box = make("div", "gm-board", parent);
  make("div", "gm-title", box, "Your rows");
  const view = newDrawing(box, shape, "The rows that you draw");
  const cut = draw("line", { x1: 0, x2: shape.width, class: "gm-cut" }, view.svg);
  view.svg.append(view.cursor);
  return { ...view, box, cut };
}

function layOut(el, shape) {
  const root = explorer(el, "gm-pixel-completion gm-pills", "Draw the upper rows of a digit, and the model draws the rest");
  const body = make("div", "gm-body", root);
  const board = newBoard(body, shape);
  const right = make("div", "gm-right", body);
  make("div", "gm-title", right, `The model’s rest: the mean of ${WAYS} ways, and ${SHOWN} of them`);
  const tiles = make("div", "gm-tiles", right);
  const mean = newTile(tiles, shape, `Where the ink lies in ${WAYS} ways to go on`);
  const ways = Array.from({ length: SHOWN }, (_, k) => newTile(tiles, shape, `Way ${k + 1} to go on`));
  const bar = make("div", "gm-buttons", root);
  const status = make("p", "gm-status", root);
  status.setAttribute("role", "status");
  make("p", "gm-hint", root, HINT);
  return { root, board, mean, ways, bar, status };
}

/** What is drawn of this state: the ways of its seed. */
function answer(net, { image, rows, seed }) {
  const { uniform } = randomness(seed);
  const uniforms = Array.from({ length: WAYS }, () => image.map(uniform));
  const { given, ways } = complete(net, image, rows, uniforms);
  const mean = image.map((_, place) => ways.reduce((sum, way) => sum + way.image[place], 0) / WAYS);
  return { given, ways, mean, kinds: new Set(ways.map((way) => way.image.join(""))).size };
}

function showAnswer(parts, net, state) {
  const { given, ways, mean, kinds } = answer(net, state);
  parts.board.paint(state.image.map((ink, place) => (place < state.rows * net.width ? ink : 0)), state.rows);
  for (const end of ["y1", "y2"]) parts.board.cut.setAttribute(end, state.rows);
  parts.board.point(state.at);
  parts.mean.paint(mean, state.rows);
  parts.mean.caption.textContent = `${kinds} of ${WAYS} differ`;
  parts.ways.forEach((tile, k) => {
    tile.paint(ways[k].image, state.rows);
    tile.caption.textContent = `ln p = ${signed(ways[k].drawn, 1)}`;
  });
  parts.status.textContent = `ln p(your ${state.rows} rows) = ${signed(given, 1)} nats.`;
  parts.root.dataset.state = JSON.stringify({ ...state, given, kinds, drawn: ways.map((way) => way.drawn) });
}

/** Painting with the mouse, a pen or a finger: the first pixel that is touched says whether ink is put or taken. */
function listenToPointer(board, net, state, put) {
  let ink = 1;
  const under = (event) => {
    const [x, y] = placeUnder(board.svg, event).map(Math.floor);
    return x >= 0 && x < net.width && y >= 0 && y < state.rows ? [y, x] : null;
  };
  const paint = (event) => {
    const at = under(event);
    if (at) put(at, ink);
  };
  follow(board.svg, paint, (event) => {
    const at = under(event);
    if (at) ink = 1 - state.image[at[0] * net.width + at[1]];
    paint(event);
  });
}

function listenToCursor(board, net, state, show) {
  const under = () => state.at[0] * net.width + state.at[1];
  const ink = () => state.image[under()];
  const press = () => (state.image[under()] = 1 - ink());
  steer(board.svg, state, () => [state.rows, net.width], press, show, () => (ink() ? "ink" : "paper"));
}

function render({ model, el }) {
  const net = pixelCNN(model.get("shape"), floats(model.get("weights")));
  const bytes = new Uint8Array(model.get("examples").buffer, model.get("examples").byteOffset, model.get("examples").byteLength);
  const size = net.height * net.width;
  const examples = Array.from({ length: bytes.length / size }, (_, k) => Array.from(bytes.subarray(k * size, (k + 1) * size)));
  const state = { image: examples[0].slice(), rows: model.get("rows"), at: [0, 0], seed: 0, example: 0 };
  const parts = layOut(el, net);
  const show = () => showAnswer(parts, net, state);
  const put = ([r, c], ink) => {
    state.at = [r, c];
    if (state.image[r * net.width + c] !== ink) state.image[r * net.width + c] = ink;
    show();
  };
  listenToPointer(parts.board, net, state, put);
  listenToCursor(parts.board, net, state, show);
  const slider = range(parts.board.box, "Rows that you draw", net.height - 2, (value) => {
    Object.assign(state, { rows: value + 1, at: [Math.min(value, state.at[0]), state.at[1]] });
    slider.setAttribute("aria-valuetext", `${value + 1} rows`);
    show();
  });
  Object.assign(slider, { value: state.rows - 1 });
  slider.setAttribute("aria-valuetext", `${state.rows} rows`);
  const press = (text, change) => button(parts.bar, text, () => (Object.assign(state, change()), show()));
  press("Other ways", () => ({ seed: state.seed + 1 }));
  press("Next digit", () => {
    const example = (state.example + 1) % examples.length;
    return { example, image: examples[example].slice() };
  });
  press("Clear", () => ({ image: state.image.map(() => 0) }));
  show();
}

export default { render };
