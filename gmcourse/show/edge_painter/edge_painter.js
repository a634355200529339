// The edge painter: the reader draws an outline, and generators that run in the page paint it.

import { painter, redness } from "./painter.js";
import { addButtons, listenToCursor, listenToPointer, newTile } from "../js/drawing.js";
import { button, explorer, make } from "../js/elements.js";
import { floats } from "../js/mlp.js";
import { newDrawing } from "../js/pixels.js";
import { draw, signed } from "../js/plot.js";
import { fillNormal, randomness } from "../js/random.js";

const HINT =
  "Draw an outline in the left picture: press or drag; or focus it, move by the arrow keys and press Space for half ink, ink, " +
  "paper. Next digit puts the outline of a real one there. The noise z is four numbers, the same for all painters.";

/** height × width squares in colour on black: paint(red, green and blue, one after the other). */
function newColours(parent, { height, width }, words) {
  const svg = draw("svg", { viewBox: `-0.1 -0.1 ${width + 0.2} ${height + 0.2}`, role: "img", "aria-label": words }, parent);
  const size = height * width;
  const squares = Array.from({ length: size }, (_, place) => {
    const at = { x: place % width, y: Math.floor(place / width), width: 1.02, height: 1.02 };
    return draw("rect", at, svg);
  });
  const paint = (colours) => {
    squares.forEach((square, place) => {
      const [r, g, b] = [0, 1, 2].map((channel) => Math.round(255 * colours[channel * size + place]));
      square.setAttribute("fill", `rgb(${r} ${g} ${b})`);
    });
  };
  return { svg, paint };
}

function layOut(el, shape, names) {
  const root = explorer(el, "gm-noisy-drawing gm-edge-painter gm-pills", "Draw an outline, and see what each generator paints");
  const pictures = make("div", "gm-pictures", root);
  const board = newTile(pictures, shape, "gm-board", "Your outline", "Your outline", newDrawing);
  const tiles = names.map((name) => newTile(pictures, shape, "gm-painted", name, `Painted by ${name}`, newColours));
  const bar = make("div", "gm-buttons", root);
  const status = make("p", "gm-status", root);
  status.setAttribute("role", "status");
  make("p", "gm-hint", root, HINT);
  return { root, board, bar, tiles, status };
}

/** Red, blue, or neither: within 0.2 of an ink's redness. */
function inWords(k, modes) {
  const ink = ["blue", "red"].find((_, mode) => Math.abs(k - modes[mode]) < 0.2);
  return `k = ${signed(k, 2)}, ${ink ?? "neither"}`;
}

function render({ model, el }) {
  const [height, width] = model.get("shape");
  const [shape, names, modes] = [{ height, width }, model.get("names"), model.get("modes")];
  const weights = model.get("weights").map(floats);
  const painters = model.get("plans").map((plan, k) => painter(plan, weights[k]));
  const flat = floats(model.get("images"));
  const size = height * width;
  const images = Array.from({ length: flat.length / size }, (_, k) => flat.slice(k * size, (k + 1) * size));
  const parts = layOut(el, shape, names);
  const state = { image: images[0], at: [0, 0], example: 0, erases: false, z: Array.from(floats(model.get("noise"))), seed: 0 };
  const show = () => {
    const painted = painters.map((paint) => paint(state.image, shape, state.z));
    const said = painted.map((colours) => inWords(redness(colours), modes));
    parts.board.paint(state.image);
    parts.board.point(state.at);
    parts.tiles.forEach((tile, k) => {
      tile.paint(painted[k]);
      tile.caption.textContent = said[k];
    });
    parts.status.textContent = names.map((name, k) => `${name}: ${said[k]}`).join("; ");
    parts.root.shown = { image: state.image, z: state.z, painted };
  };
  addButtons(parts.bar, images, state, show);
  button(parts.bar, "New noise z", () => {
    state.z = Array.from(fillNormal(new Float64Array(state.z.length), randomness((state.seed += 1))));
    show();
  });
  listenToPointer(parts.board, shape, state, show);
  listenToCursor(parts.board, shape, state, show);
  show();
}

export default { render };
