// Which models are shown, and which two of their properties are plotted.

import { button, make } from "../js/elements.js";
import { listenToKeys } from "../js/keys.js";
import { draw } from "../js/plot.js";
import { mark } from "./scatter.js";
import { titled } from "./order.js";

function tick(parent, className, words, act) {
  const label = make("label", className, parent);
  const box = make("input", "", label);
  box.type = "checkbox";
  box.addEventListener("change", () => act(box.checked));
  listenToKeys(box, () => false);
  make("span", "", label, words);
  return { label, box };
}

/** A box a family, and a field for words; set(changes) keeps what is chosen in the state. */
export function newFilter(parent, families, numberOf, colourOf, state, set) {
  const asked = make("fieldset", "gm-families", parent);
  make("legend", "", asked, "Families");
  const boxes = new Map(
    families.map((family) => {
      const act = (shown) => set({ hidden: shown ? state("hidden").filter((other) => other !== family) : [...state("hidden"), family] });
      const { label, box } = tick(asked, "gm-tick-box", family, act);
      const swatch = draw("svg", { viewBox: "-8 -8 16 16", class: "gm-swatch", "aria-hidden": "true" }, null);
      mark(numberOf(family), colourOf(family), swatch);
      box.after(swatch);
      return [family, box];
    }),
  );
  const bar = make("div", "gm-bar gm-pills", parent);
  const label = make("label", "gm-field", bar, "Find ");
  const field = make("input", "", label);
  Object.assign(field, { type: "search", autocomplete: "off", placeholder: "a name or a word", spellcheck: false });
  field.addEventListener("input", () => set({ words: field.value }));
  listenToKeys(field, () => false);
  const count = make("p", "gm-count", bar);
  count.setAttribute("role", "status");
  const all = button(bar, "Show all", () => {
    set({ hidden: [], words: "" });
    field.focus();
  });
  return { boxes, field, count, all };
}

/** The boxes, the field and the count as the state says; so many of `all` models are shown. */
export function showFilter({ boxes, field, count, all }, hidden, words, shown, models) {
  for (const [family, box] of boxes) box.checked = !hidden.includes(family);
  if (field.value !== words) field.value = words;
  const text = `${shown} of ${models} models`;
  if (count.textContent !== text) count.textContent = text;
  all.hidden = shown === models;
}

/** Two lists of the measured properties, for the axes, with a box each for a logarithmic scale. */
export function newAxes(parent, columns, set) {
  const bar = make("div", "gm-axes", parent);
  return [["y", "Up"], ["x", "Across"]].map(([axis, words]) => {
    const pair = make("div", "gm-axis-choice", bar);
    const label = make("label", "gm-field", pair, `${words} `);
    const list = make("select", "", label);
    for (const column of columns) list.append(new Option(titled(column), column.key));
    list.addEventListener("change", () => set({ [axis]: list.value }));
    listenToKeys(list, () => false);
    const { box } = tick(pair, "gm-tick-box", "log scale", (log) => set({ [`${axis}_log`]: log }));
    box.setAttribute("aria-label", `log scale, ${words.toLowerCase()}`);
    return { axis, list, box };
  });
}

export function showAxes(choices, state) {
  for (const { axis, list, box } of choices) {
    list.value = state(axis);
    box.checked = state(`${axis}_log`);
  }
}
