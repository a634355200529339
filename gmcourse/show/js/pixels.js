// A picture of grey squares.

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
