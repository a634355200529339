// Class and style: a network in the page is told a class and a style z; each is turned alone, and the row swaps the class.

import { button, explorer, make } from "../js/elements.js";
import { listenToKeys, moved } from "../js/keys.js";
import { floats, forward } from "../js/mlp.js";
import { newPixels } from "../js/pixels.js";
import { dots, draw, plane, rings, scale, signed } from "../js/plot.js";
import { follow } from "../js/pointer.js";

const STEP = 0.1;
const HINT =
  "Drag the orange handle, or focus it and press the arrow keys (Shift: larger steps, Home: the centre): the style z moves " +
  "and the class stays. Press a picture of the row: the class changes and z stays. Points are codes of the chosen class.";

/** The traits as numbers and names that the drawing uses. */
function unpack(model) {
  const flat = floats(model.get("points"));
  const labels = model.get("labels");
  const [height, width] = model.get("shape");
  const names = model.get("classes");
  const run = forward.bind(null, model.get("layers"), floats(model.get("weights")));
  return {
    names,
    extent: model.get("extent"),
    shape: { height, width },
    colours: model.get("colours"),
    points: Array.from({ length: flat.length / 2 }, (_, index) => [flat[2 * index], flat[2 * index + 1]]),
    labels: new Uint8Array(labels.buffer, labels.byteOffset, labels.byteLength),
    decode: (z, kind) => run([...z, ...names.map((_, place) => Number(place === kind))]),
  };
}

/** The handle of the style, which the arrow keys move in two dimensions. */
function newKnob(svg, extent) {
  const knob = draw("g", { class: "gm-handle", tabindex: 0, role: "slider" }, svg);
  knob.setAttribute("aria-label", "Style z, moved in two dimensions by the arrow keys");
  knob.setAttribute("aria-roledescription", "two-dimensional slider");
  knob.setAttribute("aria-valuemin", -extent);
  knob.setAttribute("aria-valuemax", extent);
  for (const [r, kind] of [[26, "gm-reach"], [13, "gm-focus"], [8, "gm-knob"]]) draw("circle", { r, class: kind }, knob);
  return knob;
}

/** One picture a class, all of the same z: buttons that choose the class. */
function newRow(parent, { names, shape }, choose) {
  const row = make("div", "gm-row", parent);
  row.setAttribute("role", "group");
  row.setAttribute("aria-label", "The same style in every class: press one to choose it");
  return names.map((name, kind) => {
    const press = button(row, "", () => choose(kind), "", `class ${name}`);
    const picture = newPixels(press, shape, "");
    picture.svg.ariaHidden = "true"; // the button says it
    make("span", "gm-name", press, name);
    return { press, ...picture };
  });
}

function layOut(data, el, choose) {
  const root = explorer(el, "gm-class-style", "Class and style: a picture of each class in one style, both of your choice");
  const body = make("div", "gm-body", root);
  const left = make("div", "gm-left", body);
  make("div", "gm-title", left, "Style");
  const svg = plane(data.extent, ["z₁", "z₂"]);
  left.append(svg);
  rings(svg, data.extent);
  const group = dots(svg, scale(data.extent), data.points, data.labels, data.colours);
  const knob = newKnob(svg, data.extent);
  const right = make("div", "gm-right", body);
  make("div", "gm-title", right, "Drawn");
  const picture = newPixels(right, data.shape, "The picture of the chosen class and style");
  const caption = make("p", "gm-caption", right);
  caption.setAttribute("role", "status");
  make("div", "gm-title", root, "Class");
  const row = newRow(root, data, choose);
  make("p", "gm-hint", root, HINT);
  return { root, svg, group, knob, picture, caption, row };
}

function showClass(view, chosen) {
  view.row.forEach(({ press }, kind) => press.setAttribute("aria-pressed", String(kind === chosen)));
  for (const dot of view.group.children) dot.classList.toggle("gm-faded", dot.dataset.class !== String(chosen));
}

function showStyle(view, place, z, text) {
  const [x, y] = place(z);
  view.knob.setAttribute("transform", `translate(${x} ${y})`);
  view.knob.setAttribute("aria-valuenow", z[0].toFixed(2));
  view.knob.setAttribute("aria-valuetext", text);
}

function render({ model, el }) {
  const data = unpack(model);
  const put = (name, value) => {
    model.set(name, value);
    model.save_changes();
  };
  const view = layOut(data, el, (kind) => put("chosen", kind));
  const { place, read } = scale(data.extent);
  function show() {
    const [z, chosen] = [model.get("z"), model.get("chosen")];
    const pictures = data.names.map((_, kind) => data.decode(z, kind));
    const text = `z = (${signed(z[0], 2)}, ${signed(z[1], 2)})`;
    showClass(view, chosen);
    showStyle(view, place, z, text);
    view.row.forEach(({ paint }, kind) => paint(pictures[kind]));
    view.picture.paint(pictures[chosen]);
    view.caption.textContent = `class ${data.names[chosen]}, ${text}`;
    view.root.decoded = pictures[chosen];
    Object.assign(view.root.dataset, { z: z.join(","), chosen });
  }
  const inside = (value) => Number(Math.min(data.extent, Math.max(-data.extent, value)).toFixed(4));
  const go = (z) => put("z", z.map(inside));
  const point = (event) => go(read(view.svg, event));
  follow(view.svg, point, (event) => {
    view.knob.focus({ preventScroll: true });
    point(event);
  });
  listenToKeys(view.knob, (key, shift) => {
    const z = moved(model.get("z"), key, shift, STEP);
    if (z) go(z);
    return z !== null;
  });
  for (const name of ["change:z", "change:chosen"]) model.on(name, show);
  show();
  return () => ["change:z", "change:chosen"].forEach((name) => model.off(name, show));
}

export default { render };
