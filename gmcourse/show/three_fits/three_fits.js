// Three fits: one Gaussian before two hills, fitted by three divergences; drag the hills, choose a start, press Play.

import { KINDS, lettingGo } from "./fits.js";
import { atStart, newState, rowsOf, startWords, statusOf, stepped, stepsAFrame } from "./descent.js";
import { NAMES, newPicture, read, showPicture } from "./picture.js";
import { button, explorer, make, range } from "../js/elements.js";
import { signed } from "../js/plot.js";
import { follow } from "../js/pointer.js";

const FARTHEST = 6;
const HINT =
  "Drag the rings on the hills, or the sliders: until you press Play, each Gaussian is the best that there is. Then drag the " +
  "triangle to choose a start. Play descends from it: gradient descent on m and ln σ, no step longer than 0.1.";

/** Sliders: [trait, place in it, name, lowest, step, how many steps, how its value is said]. */
const SLIDERS = [
  ["hills", 0, "half distance a", 0, 0.05, 120, (a) => `a = ${a.toFixed(2)}`],
  ["hills", 1, "left hill’s share w", 0.05, 0.01, 90, (w) => `w = ${Math.round(100 * w)} %`],
  ["start", 0, "start: m", -6, 0.1, 120, (m) => `m = ${signed(m, 1)}`],
  ["start", 1, "start: σ", 0.5, 0.1, 45, (s) => `σ = ${s.toFixed(1)}`],
];

function newSlider(parent, [trait, part, name, low, step, count, say], act) {
  const row = make("div", "gm-slider", parent);
  make("span", "gm-slider-name", row, name).setAttribute("aria-hidden", "true");
  const track = make("div", "gm-track", row);
  const input = range(track, name, count, (place) => act(trait, part, Number((low + step * place).toFixed(3))));
  const shown = make("span", "gm-shown", row);
  const show = (value) => {
    input.value = Math.round((value - low) / step);
    input.setAttribute("aria-valuetext", say(value));
    shown.textContent = say(value);
  };
  return { track, show };
}

function newTable(root) {
  const table = make("table", "gm-table", root);
  const head = make("tr", "", make("thead", "", table));
  for (const title of ["", "m", "σ", "nats", "least", "where the least is"]) make(title ? "th" : "td", "", head, title);
  const body = make("tbody", "", table);
  return KINDS.map((kind, index) => {
    const row = make("tr", `gm-row gm-${NAMES[index]}`, body);
    const name = make("th", "", row);
    make("i", "", name);
    make("span", "", name, kind);
    return ["m", "σ", "nats", "least", "where"].map(() => make("td", "", row));
  });
}

/** Where reverse KL and Jensen–Shannon leave the smaller hill, as marks on the slider of a. */
function newMarks(track) {
  return [1, 2].map((kind) => {
    const mark = make("span", `gm-mark gm-${NAMES[kind]}`, track);
    mark.setAttribute("aria-hidden", "true");
    return mark;
  });
}

function layOut(el) {
  const root = explorer(el, "gm-three-fits", "One Gaussian before two hills, fitted by three divergences");
  const view = newPicture(root);
  const bar = make("div", "gm-buttons", root);
  const sliders = make("div", "gm-sliders", root);
  const rows = newTable(root);
  const switches = make("p", "gm-switches", root);
  const status = make("p", "gm-status", root);
  status.setAttribute("role", "status");
  make("p", "gm-hint", root, HINT);
  return { root, view, bar, sliders, rows, switches, status };
}

function showRows(cells, state) {
  rowsOf(state).forEach(({ place, value, best, stands }, kind) => {
    const texts = [signed(place[0], 2), Math.exp(place[1]).toFixed(2), value.toFixed(3), best.toFixed(3), stands];
    texts.forEach((text, column) => {
      if (cells[kind][column].textContent !== text) cells[kind][column].textContent = text;
    });
    const where = cells[kind][4];
    if (where.dataset.was && where.dataset.was !== stands) {
      where.classList.remove("gm-flash");
      void where.offsetWidth; // starts the animation anew
      where.classList.add("gm-flash");
    }
    where.dataset.was = stands;
  });
}

function showSwitches(page, marks, w) {
  const places = [1, 2].map((kind) => lettingGo(kind, w, FARTHEST));
  const said = places.map((a, index) => `${KINDS[index + 1]} ${a === null ? "nowhere" : `from a = ${a.toFixed(2)}`}`);
  page.switches.textContent = `At w = ${Math.round(100 * w)} % the best fit leaves a hill: forward KL never, ${said.join(", ")}.`;
  marks.forEach((mark, index) => {
    mark.hidden = places[index] === null;
    mark.style.setProperty("--at", (places[index] ?? 0) / FARTHEST);
  });
}

function render({ model, el }) {
  const page = layOut(el);
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let state = newState(...model.get("hills"), model.get("start"));
  let [playing, frame, later] = [false, 0, 0];

  function say() {
    const text = playing ? `Descending from ${startWords(state)}.` : statusOf(state);
    if (page.status.textContent !== text) page.status.textContent = text;
  }
  function show() {
    const { target, start, places, mode, steps } = state;
    showPicture(page.view, target, start, places);
    showRows(page.rows, state);
    const values = [target.a, target.w, ...start];
    sliders.forEach((slider, index) => slider.show(values[index]));
    play.textContent = playing ? "❚❚ Pause" : "▶ Play";
    page.root.dataset.state = JSON.stringify({ mode, steps, a: target.a, w: target.w, start, places });
  }
  function setPlaying(on) {
    playing = on;
    cancelAnimationFrame(frame);
    if (on) frame = requestAnimationFrame(tick);
    show();
    say();
  }
  function advance(count) {
    for (let i = 0; i < count && state.mode !== "ended"; i++) state = stepped(state);
  }
  function tick() {
    advance(calm.matches ? Infinity : stepsAFrame(state.steps));
    if (state.mode === "ended") setPlaying(false);
    else {
      show();
      frame = requestAnimationFrame(tick);
    }
  }
  function go(next) {
    state = next;
    setPlaying(false);
  }
  function put(trait, values) {
    model.set(trait, values);
    model.save_changes();
  }
  function change(trait, part, value) {
    put(trait, model.get(trait).map((old, index) => (index === part ? value : old)));
  }
  function toggle() {
    if (!playing && (state.mode === "best" || state.mode === "ended")) state = atStart(state);
    setPlaying(!playing);
  }
  const held = (value, low, high, step) => Number((step * Math.round(Math.min(high, Math.max(low, value)) / step)).toFixed(3));
  const moveHill = (side) => (event) => {
    const [x, density] = read(page.view, event);
    const a = held(side * x, 0, FARTHEST, 0.05);
    const share = density * Math.sqrt(2 * Math.PI);
    put("hills", [a, held(side < 0 ? share : 1 - share, 0.05, 0.95, 0.01)]);
  };

  const play = button(page.bar, "▶ Play", toggle, "gm-play");
  button(page.bar, "Step", () => {
    if (state.mode === "ended") state = atStart(state);
    advance(1);
    go(state);
  });
  button(page.bar, "To the start", () => go(atStart(state)));
  button(page.bar, "Best fits", () => go(newState(state.target.a, state.target.w, state.start)));
  const sliders = SLIDERS.map((slider) => newSlider(page.sliders, slider, change));
  const marks = newMarks(sliders[0].track);
  follow(page.view.left, moveHill(-1));
  follow(page.view.right, moveHill(1));
  follow(page.view.start, (event) => change("start", 0, held(read(page.view, event)[0], -6, 6, 0.1)));

  const onTarget = () => {
    go(newState(...model.get("hills"), state.start));
    clearTimeout(later);
    later = setTimeout(() => showSwitches(page, marks, model.get("hills")[1]), 80);
  };
  const onStart = () => go(atStart({ ...state, start: model.get("start") }));
  model.on("change:hills", onTarget);
  model.on("change:start", onStart);
  showSwitches(page, marks, model.get("hills")[1]);
  go(state);
  return () => {
    cancelAnimationFrame(frame);
    clearTimeout(later);
    model.off("change:hills", onTarget);
    model.off("change:start", onStart);
  };
}

export default { render };
