// A picture to draw on: the strokes of a round pen, the keys, and the buttons.

import { button, make } from "./elements.js";
import { newPixels, steer } from "./pixels.js";
import { follow, placeUnder } from "./pointer.js";

const RADIUS = 0.75; // of the pen, in pixels

/** A picture under its title, with a line below it. */
export function newTile(parent, shape, className, title, words, view = newPixels) {
  const box = make("div", `gm-tile ${className}`, parent);
  make("div", "gm-title", box, title);
  return { ...view(box, shape, words), box, caption: make("div", "gm-caption", box) };
}

/** How far a point lies from the line between two others. */
function distanceToLine([x, y], [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const along = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1);
  const share = Math.min(1, Math.max(0, along));
  return Math.hypot(x - ax - share * dx, y - ay - share * dy);
}

/** The picture after a stroke from one point [column, row] to another: grey where the pen covers a part of a pixel. */
export function stroked(image, width, from, to, erases) {
  return image.map((ink, place) => {
    const centre = [(place % width) + 0.5, Math.floor(place / width) + 0.5];
    const covered = Math.min(1, Math.max(0, RADIUS + 0.5 - distanceToLine(centre, from, to)));
    return erases ? Math.min(ink, 1 - covered) : Math.max(ink, covered);
  });
}

/** Strokes of the mouse, a pen or a finger. */
export function listenToPointer(board, { width }, state, show) {
  let last = null;
  const stroke = (event) => {
    const to = placeUnder(board.svg, event);
    state.image = stroked(state.image, width, last ?? to, to, state.erases);
    last = to;
    show();
  };
  follow(board.svg, stroke, (event) => {
    last = null;
    stroke(event);
  });
}

/** The keys of the picture: Space gives the pixel under the cursor half ink, ink, paper. */
export function listenToCursor(board, { height, width }, state, show) {
  const under = () => state.at[0] * width + state.at[1];
  const press = () => {
    const more = [0.5, 1].find((ink) => ink > state.image[under()]) ?? 0;
    state.image = state.image.map((ink, place) => (place === under() ? more : ink));
  };
  steer(board.svg, state, () => [height, width], press, show, () => `ink ${state.image[under()].toFixed(2)}`);
}

/** Erase, clear, and the next of the pictures to begin with. */
export function addButtons(bar, images, state, show) {
  const eraser = button(bar, "Erase", () => {
    state.erases = !state.erases;
    eraser.setAttribute("aria-pressed", String(state.erases));
  });
  eraser.setAttribute("aria-pressed", "false");
  const put = (image) => {
    Object.assign(state, { image, erases: false });
    eraser.setAttribute("aria-pressed", "false");
    show();
  };
  button(bar, "Clear", () => put(state.image.map(() => 0)));
  button(bar, images.length > 1 ? "Next digit" : "Digit again", () => {
    state.example = (state.example + 1) % images.length;
    put(images[state.example]);
  });
}
