// The landing page's lens: it wanders over the disc of digits and shows what the decoder makes of the point below it.

import { forward } from "../../gmcourse/show/js/mlp.js";
import { listenToKeys, moved } from "../../gmcourse/show/js/keys.js";
import { signed } from "../../gmcourse/show/js/plot.js";

const PIXELS = 8, PAD = 1, FINE = 128; // the decoder's pixels, the margin around them, the pixels of the lens
const STEP = 0.03, SPEED = 0.1, FRAME = 30; // in radii of the disc, radii a second, and milliseconds
const REST = 5000; // how long the lens stays where it was put
const INK = 0.53, EDGE = 0.09; // the grey level of an edge, higher than in the small digits, and how softly it fades

/** The decoder's weights as numbers: one signed byte each, times the scale of its layer. */
function unpacked({ layers, scales, weights }) {
  const bytes = Int8Array.from(atob(weights), (letter) => letter.charCodeAt(0));
  const numbers = Float32Array.from(bytes);
  let start = 0;
  layers.filter(Array.isArray).forEach(([inputs, outputs], index) => {
    const end = start + (inputs + 1) * outputs;
    for (; start < end; start++) numbers[start] *= scales[index];
  });
  return numbers;
}

/** How much each padded pixel counts in each fine one, (FINE, PIXELS + 2 PAD), by Keys's cubic. */
function cubic() {
  const size = PIXELS + 2 * PAD;
  const near = (d) => (1.5 * d - 2.5) * d * d + 1, far = (d) => ((-0.5 * d + 2.5) * d - 4) * d + 2;
  return Array.from({ length: FINE }, (_, row) => {
    const at = ((row + 0.5) / FINE) * size - 0.5;
    return Float32Array.from({ length: size }, (_, column) => {
      const d = Math.abs(at - column);
      return d < 1 ? near(d) : d < 2 ? far(d) : 0;
    });
  });
}

/** The ink of an image of PIXELS × PIXELS pixels, the alpha of FINE × FINE pixels. */
function inked(image, rows, into) {
  const wide = rows.map((row) => {
    const line = new Float32Array(PIXELS);
    for (let y = 0; y < PIXELS; y++) for (let x = 0; x < PIXELS; x++) line[x] += row[y + PAD] * image[y * PIXELS + x];
    return line;
  });
  wide.forEach((line, y) =>
    rows.forEach((row, x) => {
      let value = 0;
      for (let k = 0; k < PIXELS; k++) value += row[k + PAD] * line[k];
      into[4 * (y * FINE + x) + 3] = 255 * Math.min(1, Math.max(0, (value - INK) / EDGE + 0.5));
    }),
  );
}

/** The colours, each at its own angle, mixed in linear light as in the picture; at the centre equally. */
function colour(colours, [x, y]) {
  const parts = colours.map(([angle, code]) => [
    Math.exp(4 * (x * Math.cos(angle) + y * Math.sin(angle))),
    [1, 3, 5].map((at) => (parseInt(code.slice(at, at + 2), 16) / 255) ** 2.2),
  ]);
  const total = parts.reduce((sum, [weight]) => sum + weight, 0);
  return [0, 1, 2].map((k) => 255 * (parts.reduce((sum, [w, rgb]) => sum + w * rgb[k], 0) / total) ** (1 / 2.2));
}

/** The latent point of a place in the disc, whose radius is 1: the prior is uniform there. */
function latent([x, y], mass) {
  const radius = Math.hypot(x, y);
  const stretch = radius ? Math.sqrt(-2 * Math.log1p(-mass * radius * radius)) / radius : Math.sqrt(2 * mass);
  return [x * stretch, y * stretch];
}

function inside([x, y]) {
  const over = Math.max(1, Math.hypot(x, y));
  return [x / over, y / over];
}

/** A walk that turns this way and that, and home again near the rim; `seconds` since the last step. */
function walked([x, y], time, seconds) {
  const radius = Math.hypot(x, y), size = SPEED * seconds;
  const free = 1.9 * Math.sin(0.23 * time) + 1.3 * Math.sin(0.61 * time + 2) + 0.4 * time;
  const home = Math.max(0, radius - 0.55) * 3;
  return inside([x + size * (Math.cos(free) - (home * x) / (radius || 1)), y + size * (Math.sin(free) - (home * y) / (radius || 1))]);
}

function made(name, attributes, parent) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent.append(element);
  return element;
}

/** The lens over the picture, and below it the point's coordinates and the button that stops the walk. */
function layOut(picture) {
  const plane = picture.querySelector("img").parentElement;
  plane.classList.add("plane");
  const lens = made("span", { class: "lens", tabindex: 0, role: "slider", "aria-valuemin": -3, "aria-valuemax": 3 }, plane);
  lens.setAttribute("aria-label", "Point of the latent plane, moved in two dimensions by the arrow keys");
  lens.setAttribute("aria-roledescription", "two-dimensional slider");
  const canvas = made("canvas", { width: FINE, height: FINE, "aria-hidden": "true" }, lens);
  const line = document.createElement("p");
  line.className = "lens-line";
  plane.after(line);
  made("span", {}, line).textContent = "Drag the lens, or use the arrow keys.";
  const place = made("span", { class: "lens-place" }, line);
  return { plane, lens, canvas, place, button: made("button", { type: "button" }, line) };
}

/** Draws the lens at a place in the disc: the digit there, in its colour. */
function painter(data, { plane, lens, canvas, place }) {
  const weights = unpacked(data), rows = cubic(), context = canvas.getContext("2d");
  const pixels = context.createImageData(FINE, FINE);
  return (at, spoken) => {
    const z = latent(at, data.mass);
    inked(forward(data.layers, weights, z), rows, pixels.data);
    context.globalCompositeOperation = "source-over";
    context.putImageData(pixels, 0, 0);
    context.globalCompositeOperation = "source-in"; // the colour, where there is ink
    context.fillStyle = `rgb(${colour(data.colours, at).map(Math.round).join()})`;
    context.fillRect(0, 0, FINE, FINE);
    const reach = data.reach * plane.clientWidth;
    lens.style.translate = `${at[0] * reach}px ${-at[1] * reach}px`;
    const text = `z = (${signed(z[0], 2)}, ${signed(z[1], 2)})`;
    place.textContent = text;
    if (!spoken) return;
    lens.setAttribute("aria-valuenow", z[0].toFixed(2));
    lens.setAttribute("aria-valuetext", text);
  };
}

/** Calls go(place) where the pointer presses or drags, and let() when it is lifted. */
function followPointer({ plane, lens }, reach, go, let_) {
  let held = false;
  const read = (event) => {
    const box = plane.getBoundingClientRect(), unit = reach * box.width;
    return inside([(event.clientX - box.left - box.width / 2) / unit, (box.top + box.width / 2 - event.clientY) / unit]);
  };
  plane.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    held = true;
    plane.setPointerCapture(event.pointerId);
    lens.focus({ preventScroll: true });
    go(read(event));
  });
  plane.addEventListener("pointermove", (event) => held && go(read(event)));
  for (const end of ["pointerup", "pointercancel"]) plane.addEventListener(end, () => held && let_((held = false)));
}

/** Runs step(time, seconds) some thirty times a second while the picture is seen and `state` allows it. */
function whileSeen(picture, state, step) {
  let seen = false, running = false, last = 0;
  function frame(now) {
    running = seen && !state.stopped;
    if (!running) return;
    requestAnimationFrame(frame);
    if (now - last < FRAME) return;
    if (now > state.rests) step(now / 1000, Math.min(0.1, (now - last) / 1000));
    last = now;
  }
  const start = () => {
    if (!running) requestAnimationFrame(frame);
    running = true;
  };
  new IntersectionObserver(([entry]) => (seen = entry.isIntersecting) && start()).observe(picture);
  return start;
}

function alive(picture, data) {
  const view = layOut(picture);
  const state = { at: [-0.55, -0.25], stopped: matchMedia("(prefers-reduced-motion: reduce)").matches, rests: 0 };
  const draw = painter(data, view);
  const put = (at, rests) => {
    Object.assign(state, { at: inside(at), rests });
    draw(state.at, true);
  };
  const begin = whileSeen(picture, state, (time, seconds) => {
    state.at = walked(state.at, time, seconds);
    draw(state.at, false);
  });
  const name = () => (view.button.textContent = state.stopped ? "Let it wander" : "Hold it still");
  view.button.addEventListener("click", () => {
    state.stopped = !state.stopped;
    state.rests = 0;
    name();
    if (!state.stopped) begin();
  });
  followPointer(view, data.reach, (at) => put(at, Infinity), () => (state.rests = performance.now() + REST));
  listenToKeys(view.lens, (key, shift) => {
    const at = moved(state.at, key, shift, STEP);
    if (at) put(at, performance.now() + REST);
    return at !== null;
  });
  new ResizeObserver(() => draw(state.at, true)).observe(view.plane);
  name();
}

alive(document.querySelector(".hero-picture"), LATENT_PLANE);
