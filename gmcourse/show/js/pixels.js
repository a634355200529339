// A picture of grey squares, and one to draw on.

import { listenToKeys, moved } from "./keys.js";
import { draw } from "./plot.js";

/** height × width squares: paint(values, rows) sets the ink, 0 to 1, of each, and marks the first rows as given. */
export function newPixels(parent, { height, width }, words) {
  const svg = draw("svg", { viewBox: `-0.1 -0.1 ${width + 0.2} ${height + 0.2}`, role: "img", "aria-label": words }, parent);
  draw("rect", { width, height, class: "gm-paper" }, svg);
  const squares = Array.from({ length: height * width }, (_, place) => {
    const at = { x: place % width, y: Math.floor(place / width), width: 1, height: 1 };
    return draw("rect", { ...at, class: "gm-pixel" }, svg);
  });
  const paint = (values, rows = 0) => {
    squares.forEach((square, place) => {
      square.setAttribute("fill-opacity", values[place].toFixed(3));
      square.classList.toggle("gm-given", place < rows * width);
    });
  };
  return { svg, paint };
}

/** `newPixels` that are reached by Tab, under a cursor: point([row, column]) sets it there. */
export function newDrawing(parent, shape, words) {
  const view = newPixels(parent, shape, words);
  view.svg.setAttribute("tabindex", 0);
  view.svg.setAttribute("role", "application");
  view.svg.setAttribute("aria-roledescription", "drawing");
  const cursor = draw("rect", { width: 1, height: 1, class: "gm-cursor" }, view.svg);
  const point = ([row, column]) => {
    cursor.setAttribute("x", column);
    cursor.setAttribute("y", row);
  };
  return { ...view, cursor, point };
}

/**
 * The keys of a drawing: arrows lead from pixel to pixel within limits() = [rows, columns], Home to the first; Space and
 * Enter press the one where the cursor is. say() → the ink there, in words, is read out after each.
 */
export function steer(svg, state, limits, press, show, say) {
  listenToKeys(svg, (key) => {
    const [row, column] = state.at;
    const pressed = key === " " || key === "Enter";
    const next = moved([column, -row], key, false, 1);
    if (!pressed && !next) return false;
    const [rows, columns] = limits();
    if (pressed) press();
    else state.at = [Math.min(rows - 1, Math.max(0, -next[1])), Math.min(columns - 1, Math.max(0, next[0]))];
    svg.setAttribute("aria-label", `Row ${state.at[0] + 1}, column ${state.at[1] + 1}: ${say()}`);
    show();
    return true;
  });
}
