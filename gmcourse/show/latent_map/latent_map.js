// The latent map: drag a point through the latent plane and see what the decoder makes of it.

import { button, explorer, make } from "../js/elements.js";
import { floats, forward } from "../js/mlp.js";
import { listenToKeys, moved } from "../js/keys.js";
import { dots, draw, plane, rings, scale, signed } from "../js/plot.js";
import { follow } from "../js/pointer.js";

const STEP = 0.1;
const HINT = "Drag the orange handle, or focus it and press the arrow keys: Shift takes larger steps, Home the centre.";

/** A picture of height × width pixels under its title, enlarged without smoothing, and a line below it. */
function tile([height, width], className, parent, title) {
  const box = make("div", `gm-tile ${className}`, parent);
  make("div", "gm-title", box, title);
  const canvas = make("canvas", "", box);
  Object.assign(canvas, { width, height });
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", title);
  return { canvas, caption: make("div", "gm-caption", box) };
}

/** Ink on paper, as in the course's figures: 0 is white, 1 is black. */
function paint(canvas, values) {
  const context = canvas.getContext("2d");
  const picture = context.createImageData(canvas.width, canvas.height);
  values.forEach((value, index) => {
    const shade = Math.round(255 * (1 - Math.min(1, Math.max(0, value))));
    picture.data.set([shade, shade, shade, 255], 4 * index);
  });
  context.putImageData(picture, 0, 0);
}

/** The place of the nearest of all points, and how far it is. */
function nearest(points, [x, y]) {
  const squares = points.map(([a, b]) => (a - x) ** 2 + (b - y) ** 2);
  const square = Math.min(...squares);
  return { close: squares.indexOf(square), away: Math.sqrt(square) };
}

/** How far the nearest code is, and how many times as far as codes lie from each other. */
function distanceInWords(away, { spacing, digits }) {
  const many = spacing > 0 ? `: ${(away / spacing).toFixed(1)} times the median distance of a code to its nearest, ${spacing.toPrecision(2)}` : "";
  return `The nearest code of data is ${away.toFixed(digits + 1)} away${many}.`;
}

/** Every image of the data in one PNG, side by side; null while it loads or where there is none. */
function loadImages(bytes, done) {
  if (!bytes?.byteLength) return () => null;
  let sheet = null;
  createImageBitmap(new Blob([bytes], { type: "image/png" })).then((bitmap) => {
    sheet = bitmap;
    done();
  });
  return () => sheet;
}

/** One button a class, which brings its points forward and lets the others fade. */
function legend(parent, classes, colours, group) {
  const list = make("div", "gm-legend", parent);
  list.setAttribute("role", "group");
  list.setAttribute("aria-label", "Classes: press one to bring its points forward");
  const buttons = classes.map((name, index) => {
    const own = button(list, name, () => {
      const chosen = own.getAttribute("aria-pressed") === "false";
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === own && chosen));
      for (const dot of group.children) dot.classList.toggle("gm-faded", chosen && dot.dataset.class !== String(index));
    });
    own.style.setProperty("--dot", colours[index % colours.length]);
    own.setAttribute("aria-pressed", "false");
    return own;
  });
}

function copyImage(canvas, sheet, index) {
  const { width, height } = canvas;
  if (sheet) canvas.getContext("2d").drawImage(sheet, index * width, 0, width, height, 0, 0, width, height);
}

/** The knob, and the thread from it to the nearest code. */
function handle(svg, { extent, centre: [middle] }) {
  const thread = draw("line", { class: "gm-thread" }, svg);
  const knob = draw("g", { class: "gm-handle", tabindex: 0, role: "slider" }, svg);
  knob.setAttribute("aria-label", "Latent point z, moved in two dimensions by the arrow keys");
  knob.setAttribute("aria-roledescription", "two-dimensional slider");
  knob.setAttribute("aria-valuemin", middle - extent);
  knob.setAttribute("aria-valuemax", middle + extent);
  for (const [r, kind] of [[26, "gm-reach"], [13, "gm-focus"], [8, "gm-knob"]]) draw("circle", { r, class: kind }, knob);
  return { thread, knob };
}

/** The traits as numbers and names that the drawing uses. */
function unpack(model) {
  const flat = floats(model.get("points"));
  const labels = model.get("labels");
  const [prior, extent] = [model.get("prior"), model.get("extent")];
  return {
    ...{ prior, extent, centre: model.get("centre"), spacing: model.get("spacing") },
    step: prior ? STEP : extent / 32,
    digits: prior ? 2 : Math.min(4, Math.max(0, 2 - Math.floor(Math.log10(extent)))),
    shape: model.get("shape"),
    names: model.get("classes"),
    colours: model.get("colours"),
    points: Array.from({ length: flat.length / 2 }, (_, index) => [flat[2 * index], flat[2 * index + 1]]),
    labels: new Uint8Array(labels.buffer, labels.byteOffset, labels.byteLength),
    decode: forward.bind(null, model.get("layers"), floats(model.get("weights"))),
  };
}

function layOut(data, el, withImages) {
  const root = explorer(el, "gm-latent-map", "Latent map: a plane of codes, and the image decoded from the chosen one");
  const body = make("div", "gm-body", root);
  const left = make("div", "gm-left", body);
  const svg = plane(data.extent, ["z₁", "z₂"], data.centre);
  left.append(svg);
  if (data.prior) rings(svg, data.extent);
  const group = dots(svg, scale(data.extent, data.centre), data.points, data.labels, data.colours);
  if (data.names.length) legend(left, data.names, data.colours, group);
  const right = make("div", "gm-right", body);
  const decoded = tile(data.shape, "gm-decoded", right, "Decoded from z");
  const real = withImages ? tile(data.shape, "gm-nearest", right, "Nearest in the data") : null;
  const distance = data.prior ? null : make("p", "gm-distance", root);
  make("p", "gm-hint", root, HINT);
  return { root, svg, decoded, real, distance, ...handle(svg, data) };
}

function moveHandle({ knob, thread }, [x, y], [x2, y2], now, words) {
  knob.setAttribute("transform", `translate(${x} ${y})`);
  for (const [key, value] of Object.entries({ x1: x, y1: y, x2, y2 })) thread.setAttribute(key, value);
  knob.setAttribute("aria-valuenow", now);
  knob.setAttribute("aria-valuetext", words);
}

function render({ model, el }) {
  const data = unpack(model);
  const view = layOut(data, el, model.get("images").byteLength > 0);
  const { place, read } = scale(data.extent, data.centre);
  const sheet = loadImages(model.get("images"), () => show());
  function show() {
    const z = model.get("z");
    const { close, away } = nearest(data.points, z);
    const name = data.names[data.labels[close]] ?? "";
    const text = `z = (${signed(z[0], data.digits)}, ${signed(z[1], data.digits)})`;
    const words = name ? `${text}, nearest data: ${name}` : text;
    const far = distanceInWords(away, data);
    view.root.decoded = data.decode(z);
    view.root.dataset.z = z.join(",");
    paint(view.decoded.canvas, view.root.decoded);
    view.decoded.caption.textContent = text;
    moveHandle(view, place(z), place(data.points[close]), z[0].toFixed(data.digits), data.prior ? words : `${words}. ${far}`);
    if (view.distance) view.distance.textContent = far;
    if (view.real) copyImage(view.real.canvas, sheet(), close);
    if (view.real && name) view.real.caption.textContent = `class ${name}`;
  }
  function go(z) {
    const inside = (value, middle) => Math.min(middle + data.extent, Math.max(middle - data.extent, value));
    model.set("z", z.map((value, axis) => Number(inside(value, data.centre[axis]).toFixed(4))));
    model.save_changes();
  }
  const point = (event) => go(read(view.svg, event));
  follow(view.svg, point, (event) => {
    view.knob.focus({ preventScroll: true });
    point(event);
  });
  listenToKeys(view.knob, (key, shift) => {
    const z = key === "Home" ? data.centre : moved(model.get("z"), key, shift, data.step);
    if (z) go(z);
    return z !== null;
  });
  model.on("change:z", show);
  show();
  return () => model.off("change:z", show);
}

export default { render };
