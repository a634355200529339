// The masks of a MADE in an order that the reader gives its pixels: who sees whom, and by which paths.

import { countOf, judged, madeMasks, openPaths } from "./dependence.js";
import { drawNetwork, drawTable } from "./network.js";
import { board, choice, legend, placed } from "./squares.js";
import { button, explorer, make } from "../js/elements.js";
import { draw } from "../js/plot.js";
import { randomness } from "../js/random.js";

const ACROSS = 3;
const ORDERS = [["Raster", [0, 1, 2, 3, 4, 5, 6, 7, 8]], ["Snake", [0, 1, 2, 5, 4, 3, 6, 7, 8]], ["Columns", [0, 3, 6, 1, 4, 7, 2, 5, 8]]];
const ORDER_KEY = [["own", "the pressed one"], ["seen", "earlier, seen"], ["missed", "earlier, missed"], ["leak", "leak"], ["later", "later"]];
const ORDER_WORDS = { seen: "seen", missed: "earlier, missed", leak: "seen: a leak", later: "not seen" };
const ORDER_HINT =
  "The number on a pixel is its place in the order. Press two pixels of the image to swap their places; press an output of the network " +
  "to see what it sees. A hidden unit with degree m knows the first m pixels. By keyboard: Tab to a board, arrow keys, Space.";

/** Everything that is drawn, from the order, the degrees and the last mask. */
function computed({ places, degrees, strict, output }) {
  const masks = madeMasks(places, degrees, strict);
  const paths = openPaths(masks);
  const all = paths.map((row, own) => judged(row.map((n) => n > 0), places, own));
  const totals = { seen: 0, leak: 0, missed: 0 };
  for (const row of all) for (const kind of row) if (kind in totals) totals[kind] += 1;
  return { masks, paths, all, totals, kinds: all[output] };
}

const inOrder = (places) => places.map((_, place) => places.indexOf(place));

function layOutOrder(el, act) {
  const root = explorer(el, "gm-mask-painter gm-orders", "The masks of a MADE in an order of your own");
  const body = make("div", "gm-body", root);
  const left = make("div", "gm-image", body);
  make("div", "gm-title", left, "The order: press two pixels");
  const frame = make("div", "gm-frame", left);
  const image = board(frame, "Pixels of the image, with their places", ACROSS, ACROSS, act.pixel);
  const line = draw("svg", { viewBox: `0 0 ${ACROSS} ${ACROSS}`, class: "gm-route", "aria-hidden": "true" }, frame);
  const bar = make("div", "gm-buttons", left);
  const right = make("div", "gm-right", body);
  make("div", "gm-title", right, "The network: press an output");
  const network = make("div", "gm-network", right);
  make("div", "gm-side", network, "pixels, with their places");
  const inputs = make("div", "gm-inputs", network);
  const picture = draw("svg", { viewBox: "0 0 900 300", role: "img", "aria-label": "Open connections" }, network);
  const outputs = board(network, "Outputs", 1, ACROSS * ACROSS, act.output);
  make("div", "gm-side", network, "outputs");
  const tables = make("div", "gm-tables", root);
  const last = make("div", "gm-buttons", root);
  const status = make("p", "gm-status", root);
  status.setAttribute("role", "status");
  legend(root, ORDER_KEY);
  make("p", "gm-hint", root, ORDER_HINT);
  return { root, image, line, bar, inputs, picture, outputs, tables, last, status };
}

function showImage(parts, { places, output, held }, kinds) {
  places.forEach((place, pixel) => {
    const kind = pixel === output ? `own gm-${kinds[pixel]}` : kinds[pixel];
    const words = `${placed(pixel, ACROSS)}: place ${place + 1}, ${pixel === output ? "the output pressed, " : ""}${ORDER_WORDS[kinds[pixel]]}`;
    parts.image.paint(pixel, pixel === held ? `${kind} gm-held` : kind, words, pixel === held, String(place + 1));
    parts.outputs.paint(pixel, kind, `Output of ${placed(pixel, ACROSS)}: place ${place + 1}`, pixel === output, String(place + 1));
  });
  parts.inputs.replaceChildren();
  places.forEach((place, pixel) => make("span", `gm-square gm-${kinds[pixel]}`, parts.inputs, String(place + 1)));
  drawRoute(parts.line, inOrder(places));
}

/** A line from each pixel to the next in the order, which leaves the numbers free. */
function drawRoute(svg, order) {
  svg.replaceChildren();
  order.slice(1).forEach((pixel, k) => {
    const [x1, y1, x2, y2] = [order[k], pixel].flatMap((at) => [(at % ACROSS) + 0.5, Math.floor(at / ACROSS) + 0.5]);
    const share = 0.27 / Math.hypot(x2 - x1, y2 - y1);
    const [dx, dy] = [share * (x2 - x1), share * (y2 - y1)];
    draw("line", { x1: x1 + dx, y1: y1 + dy, x2: x2 - dx, y2: y2 - dy }, svg);
  });
}

/** The two masks as they lie in the network, and the triangle in the order of the places. */
function showTables(parts, { places, degrees, output, strict }, { masks, all, kinds }) {
  const names = places.map((place) => place + 1);
  const order = inOrder(places);
  const lit = (unit) => masks.last[output][unit];
  const first = masks.first.map((row, unit) => row.map((open, j) => (open ? (lit(unit) ? kinds[j] : "open") : "shut")));
  const last = masks.last.map((row, i) => row.map((open, unit) => (open ? (i === output ? litBy(masks, kinds, unit) : "open") : "shut")));
  parts.tables.replaceChildren();
  drawTable(parts.tables, "First mask: degree ≥ place", { cells: first, rows: degrees, columns: names, axes: ["unit, its degree", "pixel, its place"] });
  drawTable(parts.tables, `Last mask: place ${strict ? ">" : "≥"} degree`, { cells: last, rows: names, columns: degrees, axes: ["output, its place", "unit, its degree"], row: output });
  const triangle = order.map((i) => order.map((j) => all[i][j]));
  const ranks = order.map((_, place) => place + 1);
  drawTable(parts.tables, "Who sees whom, in the order", { cells: triangle, rows: ranks, columns: ranks, axes: ["output at place", "pixel at place"], row: places[output] });
}

/** What a unit brings to the pressed output: a leak, if it knows a pixel that this output may not see. */
function litBy({ first }, kinds, unit) {
  return first[unit].some((open, j) => open && kinds[j] === "leak") ? "leak" : "seen";
}

function saidOfOrder({ places, output, held }, { kinds, paths, totals }) {
  const place = places[output];
  const routes = paths[output].reduce((sum, n) => sum + n, 0);
  const ways = routes ? `${routes} open ${routes === 1 ? "path" : "paths"}` : "no open path: a bias alone";
  const sight = `sees ${countOf(kinds, "seen")} of ${place} pixels before it, misses ${countOf(kinds, "missed")}, leaks ${countOf(kinds, "leak")}`;
  const hand = held === null ? "" : `The pixel at place ${places[held] + 1} is held: press another to swap their places. `;
  const which = `The output at place ${place + 1} (${placed(output, ACROSS)})`;
  const selves = totals.leak ? `: ${totals.leak === 1 ? "1 output sees its" : `${totals.leak} outputs see their`} own pixel` : "";
  return `${hand}${which} ${sight}; ${ways}. All pairs: ${totals.seen} of ${totals.seen + totals.missed} seen, ${totals.leak} illegal${selves}.`;
}

function showOrder(parts, state) {
  const answer = computed(state);
  showImage(parts, state, answer.kinds);
  drawNetwork(parts.picture, state, answer, (unit) => litBy(answer.masks, answer.kinds, unit));
  showTables(parts, state, answer);
  parts.sign.take(state.strict);
  parts.status.textContent = saidOfOrder(state, answer);
  const { kinds, paths, totals } = answer;
  parts.root.dataset.state = JSON.stringify({ ...state, kinds, paths, totals });
}

function shuffled(count, uniform) {
  const items = Array.from({ length: count }, (_, k) => k);
  for (let k = count - 1; k > 0; k--) {
    const other = Math.floor(uniform() * (k + 1));
    [items[k], items[other]] = [items[other], items[k]];
  }
  return items;
}

/** The places after pixels `a` and `b` have swapped theirs. */
function swapped(places, a, b) {
  return places.map((place, pixel) => (pixel === a ? places[b] : pixel === b ? places[a] : place));
}

export function showOrders(el, start) {
  const { uniform } = randomness(1);
  const state = { ...start, strict: true, held: null };
  const set = (change) => {
    Object.assign(state, change);
    showOrder(parts, state);
  };
  const parts = layOutOrder(el, {
    output: (output) => set({ output }),
    pixel: (pixel) => {
      if (state.held === null) set({ held: pixel });
      else set({ places: swapped(state.places, state.held, pixel), held: null });
    },
  });
  for (const [text, places] of ORDERS) button(parts.bar, text, () => set({ places: places.slice(), held: null }));
  button(parts.bar, "Shuffled", () => set({ places: shuffled(ACROSS * ACROSS, uniform), held: null }));
  const drawn = () => state.degrees.map(() => 1 + Math.floor(uniform() * (ACROSS * ACROSS - 1))).sort();
  const signs = [[true, ">", "Last mask: place greater than degree"], [false, "≥", "Last mask: place at least degree"]];
  make("span", "gm-title", parts.last, "Last mask");
  parts.sign = choice(parts.last, "Sign in the last mask", signs, (strict) => set({ strict }));
  button(parts.last, "Other degrees", () => set({ degrees: drawn() }), "", "Draw other degrees of the hidden units");
  parts.outputs.reach(state.output);
  set({});
}
