// What a pixel sees through a stack of masked convolutions, whose taps the reader opens and closes.

import { countOf, everSeenBy, judged, pixelMask, seenBy } from "./dependence.js";
import { board, choice, legend, placed } from "./squares.js";
import { button, explorer, make, range } from "../js/elements.js";

const SIZES = [[3, "3 × 3"], [5, "5 × 5"], [7, "7 × 7"]];
const CELLS = { 3: 38, 5: 31, 7: 22 }; // pixels of the screen
const LAYERS = 6;
const RASTER = (side) => Array.from({ length: side * side }, (_, pixel) => pixel);
const KERNEL_WORDS = {
  own: "the pixel itself, not seen",
  ownleak: "the pixel itself, seen: a leak",
  seen: "seen",
  missed: "earlier, missed",
  blind: "earlier, blind at every depth",
  leak: "later, seen: a leak",
  later: "later, not seen",
};
const KERNEL_KEY = [
  ["own", "the pixel"],
  ["seen", "earlier, seen"],
  ["missed", "earlier, missed"],
  ["blind", "missed at every depth"],
  ["leak", "leak"],
  ["later", "later"],
];
const KERNEL_HINT =
  "Press a pixel to see what it sees. Press a tap of a kernel to open or close it; the ring marks the kernel’s middle. A new size begins " +
  "with mask A in the first layer, mask B in the later ones. By keyboard: Tab to a board, arrow keys, Space.";

/** What each pixel of the image is to the chosen one. */
function kindsOf({ pixel, ...stack }, side) {
  const ever = everSeenBy(pixel, stack, side);
  const kinds = judged(seenBy(pixel, stack, side), RASTER(side), pixel);
  return kinds.map((kind, other) => (kind === "missed" && !ever[other] ? "blind" : kind));
}

/** How many pixels of the image see themselves or a later one. */
function leaking(stack, side) {
  const pixels = RASTER(side);
  return pixels.filter((pixel) => judged(seenBy(pixel, stack, side), pixels, pixel).includes("leak")).length;
}

function layOutKernels(el, side, act) {
  const root = explorer(el, "gm-mask-painter gm-kernels", "What a pixel sees through masked convolutions");
  const body = make("div", "gm-body", root);
  const left = make("div", "gm-image", body);
  make("div", "gm-title", left, "The image: press a pixel");
  const image = board(left, "Pixels of the image", side, side, (pixel) => act({ pixel }));
  legend(left, KERNEL_KEY);
  const right = make("div", "gm-right", body);
  const pair = make("div", "gm-pair", right);
  const panels = ["first", "later"].map((which) => newKernel(pair, which, act));
  const depth = make("div", "gm-depth", right);
  const shown = make("div", "gm-title", depth);
  const slider = range(depth, "Layers", LAYERS - 1, (value) => act({ layers: value + 1 }));
  const bar = make("div", "gm-buttons", right);
  const status = make("p", "gm-status", root);
  status.setAttribute("role", "status");
  make("p", "gm-hint", root, KERNEL_HINT);
  return { root, image, panels, shown, slider, bar, status };
}

/** A kernel with its taps, and the choice of its size. */
function newKernel(parent, which, act) {
  const box = make("div", "gm-kernel", parent);
  const name = which === "first" ? "First layer" : "Later layers";
  make("div", "gm-title", box, name);
  const begin = (size) => act({ [which]: pixelMask(size, which === "first" ? "A" : "B") });
  const size = choice(box, `${name}: size of the kernel`, SIZES.map(([value, words]) => [value, String(value), words]), begin);
  return { which, name, size, frame: make("div", "gm-frame", box), taps: null, sized: 0 };
}

function showKernel(panel, taps, press) {
  const size = Math.sqrt(taps.length);
  const middle = (taps.length - 1) / 2;
  if (panel.sized !== size) {
    panel.frame.replaceChildren();
    panel.taps = board(panel.frame, `${panel.name}: taps of the kernel`, size, size, press);
    panel.taps.element.style.setProperty("--cell", `${CELLS[size]}px`);
    panel.sized = size;
  }
  panel.size.take(size);
  taps.forEach((open, tap) => {
    const late = tap > middle || (tap === middle && panel.which === "first");
    const kind = open ? (late ? "leak" : "seen") : late ? "later" : "missed";
    const words = `${placed(tap, size)}${tap === middle ? ", the middle" : ""}: ${open ? "open" : "closed"}`;
    panel.taps.paint(tap, tap === middle ? `${kind} gm-middle` : kind, words, open);
  });
}

/** What the picture shows, in a sentence or two. */
function saidOfPixel({ pixel, layers, count }, side) {
  const where = placed(pixel, side).replace("row", "Row");
  const depth = `${layers} ${layers === 1 ? "layer" : "layers"}`;
  const sight = `sees ${count.seen} of ${pixel} pixels before it, misses ${count.missed}, leaks ${count.leaked}.`;
  const blind = count.blind ? ` ${count.blind} of the missed cannot be seen at any depth.` : "";
  const whole = count.leaking ? `${count.leaking} of the ${side * side} pixels leak` : "no pixel leaks";
  return `${where}, ${depth}: ${sight}${blind} In the whole image ${whole}.`;
}

function showState(parts, state, side, act) {
  const kinds = kindsOf(state, side);
  const blind = countOf(kinds, "blind");
  const count = { seen: countOf(kinds, "seen"), blind, missed: countOf(kinds, "missed") + blind };
  Object.assign(count, { leaked: countOf(kinds, "leak"), leaking: leaking(state, side) });
  kinds.forEach((kind, pixel) => {
    const own = pixel === state.pixel;
    const words = own ? (kind === "leak" ? "ownleak" : "own") : kind;
    parts.image.paint(pixel, own ? `own gm-${kind}` : kind, `${placed(pixel, side)}: ${KERNEL_WORDS[words]}`, own);
  });
  parts.image.reach(state.pixel);
  for (const panel of parts.panels) {
    showKernel(panel, state[panel.which], (tap) => {
      act({ [panel.which]: state[panel.which].map((open, other) => (other === tap ? !open : open)) });
    });
  }
  const depth = `${state.layers} ${state.layers === 1 ? "layer" : "layers"}`;
  parts.shown.textContent = state.layers === 1 ? "1 layer: the first alone" : `${depth}: the first, then ${state.layers - 1} more`;
  parts.slider.value = state.layers - 1;
  parts.slider.setAttribute("aria-valuetext", depth);
  parts.status.textContent = saidOfPixel({ ...state, count }, side);
  parts.root.dataset.state = JSON.stringify({ ...state, kinds, count });
}

/** The kinds of mask that are worth a look, by name. */
const PRESETS = [["A, then B", "A", "B"], ["B in all layers", "B", "B"], ["A in all layers", "A", "A"]];

export function showKernels(el, { side, layers, pixel, first, later }) {
  const state = { pixel, layers, first: pixelMask(first, "A"), later: pixelMask(later, "B") };
  const act = (change) => {
    Object.assign(state, change);
    showState(parts, state, side, act);
  };
  const parts = layOutKernels(el, side, act);
  for (const [text, ...kinds] of PRESETS) {
    const masks = () => ["first", "later"].map((which, k) => [which, pixelMask(Math.sqrt(state[which].length), kinds[k])]);
    button(parts.bar, text, () => act(Object.fromEntries(masks())), "", `Masks: ${text}`);
  }
  act({});
}
