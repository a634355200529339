// Fool the metrics by hand: fakes in the plane, moved, narrowed and strewn, and what six measures say of them.

import { CHALLENGES, COUNTS, STREWN, WIDTHS, newCrowd, realPoints, update } from "./crowd.js";
import { button, explorer, make, range } from "../js/elements.js";
import { listenToKeys, moved } from "../js/keys.js";
import { draw, plane, scale, signed } from "../js/plot.js";
import { follow } from "../js/pointer.js";
import { ask } from "../js/radios.js";

const KINDS = [{ key: "honest", words: "honest draws" }, { key: "moments", words: "a Gaussian of the data’s moments" }, { key: "copies", words: "the training points" }];
const NAMES = { frechet: "Fréchet distance", precision: "precision", recall: "recall", density: "density", coverage: "coverage", nearer: "nearer to train" };
const FULL = { frechet: 2, precision: 1, recall: 1, density: 2, coverage: 1, nearer: 1 }; // where a bar ends
const HINT =
  "Drag in the plane, or Tab to it and use the arrow keys (Shift: further; Home: back), to move the fakes. A floor is what " +
  "honest draws measure at this count, the mean of eight. A Fréchet bar ends at 2, a density at 2, the others at 1.";

function setting(parent, name, last, act) {
  const box = make("div", "gm-setting", parent);
  const head = make("div", "gm-head", box);
  make("span", "gm-name", head, name);
  const words = make("span", "gm-value", head);
  words.ariaHidden = "true"; // the slider says it
  return { slider: range(box, name, last, act), words };
}

function measureTable(parent) {
  const table = make("table", "gm-measures", parent);
  const head = make("tr", "", make("thead", "", table));
  for (const words of ["measure", "fakes", "floor"]) make("th", "", head, words).scope = "col";
  const body = make("tbody", "", table);
  return Object.entries(NAMES).map(([key, words]) => {
    const row = make("tr", "", body);
    make("th", "", row, words).scope = "row";
    return { key, now: make("td", "gm-now", row), floor: make("td", "", row) };
  });
}

function challengeList(parent) {
  make("div", "gm-name", parent, "Can you fool them?");
  const list = make("ul", "gm-challenges", parent);
  return CHALLENGES.map(({ key, words }) => {
    const item = make("li", "", list);
    const mark = make("span", "gm-mark", item);
    make("span", "", item, words);
    return { key, mark, item };
  });
}

function stage(parent, { extent, centre }) {
  const box = make("div", "gm-stage", parent);
  box.tabIndex = 0;
  box.setAttribute("role", "application");
  box.setAttribute("aria-label", "The plane: arrow keys move the fakes, Home brings them back");
  const svg = plane(extent, ["x₁", "x₂"], centre);
  box.append(svg);
  const [real, fakes] = ["gm-real", "gm-fakes"].map((name) => draw("path", { class: name }, svg));
  const key = make("div", "gm-key", parent);
  for (const [name, words] of [["real", "held-out data"], ["fakes", "fakes"]]) make("span", `gm-of-${name}`, key, words);
  return { box, svg, real, fakes };
}

function layOut(el, given, act) {
  const root = explorer(el, "gm-fooled gm-pills", "Fakes in the plane, and what six measures say of them");
  const kinds = ask(root, "Fakes", KINDS, (kind) => act({ kind }));
  const body = make("div", "gm-body", root);
  const view = stage(make("div", "gm-left", body), given);
  const right = make("div", "gm-right", body);
  const width = setting(right, "width", WIDTHS.length - 1, (position) => act({ width: position }));
  const strewn = setting(right, "strewn anywhere", STREWN.length - 1, (position) => act({ strewn: position }));
  const count = setting(right, "points of each", COUNTS.length - 1, (position) => act({ count: position }));
  const bar = make("div", "gm-bar", right);
  const outlier = button(bar, "One real point far out", () => act({ outlier: outlier.getAttribute("aria-pressed") !== "true" }));
  button(bar, "As it was", () => act({ kind: "honest", width: WIDTHS.indexOf(1), strewn: 0, outlier: false, at: [0, 0], count: 2 }));
  const rows = measureTable(right);
  const status = make("div", "gm-status", root);
  status.setAttribute("role", "status");
  const list = challengeList(root);
  make("p", "gm-hint", root, HINT);
  return { root, kinds, view, width, strewn, count, outlier, rows, status, list };
}

/** Points as strokes without length, with round ends. */
function strokes(points, { place }) {
  return points.map((point) => `M${place(point).map((value) => value.toFixed(1)).join(" ")}h0`).join("");
}

function tellSetting({ slider, words }, position, text) {
  slider.value = position;
  words.textContent = text;
  slider.setAttribute("aria-valuetext", text);
}

function tell(crowd, page) {
  const { given, values, floors, at } = crowd;
  const onto = scale(given.extent, given.centre);
  page.view.real.setAttribute("d", strokes(realPoints(crowd), onto));
  page.view.fakes.setAttribute("d", strokes(crowd.fakes, onto));
  for (const radio of page.kinds) radio.checked = radio.value === crowd.kind;
  tellSetting(page.width, crowd.width, `${WIDTHS[crowd.width]} of the data’s`);
  tellSetting(page.strewn, crowd.strewn, `${Math.round(100 * STREWN[crowd.strewn])} % of the fakes`);
  tellSetting(page.count, crowd.count, `${COUNTS[crowd.count]}`);
  page.outlier.setAttribute("aria-pressed", String(crowd.outlier));
  for (const { key, now, floor } of page.rows) {
    now.textContent = values[key].toFixed(2);
    now.style.setProperty("--share", Math.min(1, values[key] / FULL[key]));
    now.style.setProperty("--floor", Math.min(1, floors.mean[key] / FULL[key]));
    floor.textContent = floors.mean[key].toFixed(2);
  }
  for (const { key, mark, item } of page.list) {
    mark.textContent = crowd.met.has(key) ? "✓" : "○";
    mark.setAttribute("role", "img");
    mark.setAttribute("aria-label", crowd.met.has(key) ? "done:" : "not yet:");
    item.classList.toggle("gm-met", crowd.met.has(key));
  }
  Object.assign(page.root.dataset, { kind: crowd.kind, at: at.join(), met: [...crowd.met].join(" "), values: JSON.stringify(values) });
}

function inWords({ values, news, met }) {
  const found = news.length ? `Fooled: ${news.map(({ words }) => words.split(":")[0].toLowerCase()).join(", ")}. ${met.size} of ${CHALLENGES.length} done. ` : "";
  return `${found}${Object.entries(NAMES).map(([key, words]) => `${words} ${values[key].toFixed(2)}`).join(", ")}.`;
}

function render({ model, el }) {
  const names = ["train", "held", "fresh", "extent", "centre", "seed"];
  const given = Object.fromEntries(names.map((name) => [name, model.get(name)]));
  const crowd = newCrowd(given);
  const act = (changes) => {
    update(crowd, changes);
    tell(crowd, page);
    page.status.textContent = inWords(crowd);
  };
  const page = layOut(el, given, act);
  const held = (place) => place.map((value) => Math.min(2 * given.extent, Math.max(-2 * given.extent, value)));
  listenToKeys(page.view.box, (key, shift) => {
    const at = moved(crowd.at, key, shift, given.extent / 20);
    if (at) act({ at: held(at) });
    return at !== null;
  });
  const pointed = (event) => {
    const place = scale(given.extent, given.centre).read(page.view.svg, event);
    act({ at: held(place.map((value, axis) => value - crowd.middle[axis])) });
  };
  follow(page.view.box, pointed, () => page.view.box.focus({ preventScroll: true }));
  tell(crowd, page);
  page.status.textContent = `${COUNTS[crowd.count]} honest draws about (${crowd.middle.map((value) => signed(value, 1)).join(", ")}). ${inWords(crowd)}`;
}

export default { render };
