// Boards of squares that are pressed, choices of which one is taken, and the key to the colours.

import { button, make } from "../js/elements.js";
import { listenToKeys, moved } from "../js/keys.js";

/** `rows` × `columns` buttons, of which Tab reaches one and the arrow keys lead to the others; press(index). */
export function board(parent, name, rows, columns, press) {
  const element = make("div", "gm-squares", parent);
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", name);
  element.style.setProperty("--columns", columns);
  const squares = Array.from({ length: rows * columns }, () => make("button", "gm-square", element));
  const reach = (index) => squares.forEach((square, other) => (square.tabIndex = other === index ? 0 : -1));
  squares.forEach((square, index) => {
    square.type = "button";
    square.addEventListener("click", () => (reach(index), press(index)));
    listenToKeys(square, (key, shift) => {
      const next = moved([index % columns, -Math.floor(index / columns)], key, shift, 1);
      if (!next) return false;
      const [column, row] = [Math.min(columns - 1, Math.max(0, next[0])), Math.min(rows - 1, Math.max(0, -next[1]))];
      reach(row * columns + column);
      squares[row * columns + column].focus();
      return true;
    });
  });
  reach(0);
  /** What a square is: its class, its words, whether it is pressed, and what stands in it. */
  const paint = (index, kind, words, pressed, text = "") => {
    const square = squares[index];
    Object.assign(square, { className: `gm-square gm-${kind}`, textContent: text });
    square.setAttribute("aria-label", words);
    square.setAttribute("aria-pressed", String(pressed));
  };
  return { element, paint, reach };
}

/** A row of buttons [value, text], one of them taken: act(value) when one is pressed; take(value) shows it. */
export function choice(parent, name, options, act) {
  const element = make("div", "gm-choice", parent);
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", name);
  const buttons = options.map(([value, text, words]) => button(element, text, () => act(value), "", words));
  const take = (taken) => {
    options.forEach(([value], k) => buttons[k].setAttribute("aria-pressed", String(value === taken)));
  };
  return { element, take };
}

/** The key to the colours: [class, words] of each. */
export function legend(parent, entries) {
  const list = make("div", "gm-legend", parent);
  for (const [kind, words] of entries) {
    const entry = make("span", "gm-entry", list);
    make("i", `gm-square gm-${kind}`, entry);
    entry.append(words);
  }
}

/** "row 2, column 3" of a pixel. */
export function placed(pixel, side) {
  return `row ${Math.floor(pixel / side) + 1}, column ${(pixel % side) + 1}`;
}
