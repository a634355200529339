// The attention map: a number in German over the same in English, and where the translator looks as it writes each word.

import { halves, spelled, translate, translator } from "./translator.js";
import { button, explorer, make } from "../js/elements.js";
import { listenToKeys } from "../js/keys.js";
import { draw, signed } from "../js/plot.js";

const LAST = 9999;
const FORWARD = ["ArrowRight", "ArrowDown"];
const BACK = ["ArrowLeft", "ArrowUp"];
const HINT =
  "Point at a German word, or focus one and press the arrow keys: the shades and the numbers are the weights with which the last " +
  "layer looks at the English words as it is about to write that word. They sum to 1, up to rounding.";

const shown = (weight) => weight.toFixed(2);

function labelled(parent, text, kind) {
  const label = make("label", "gm-field", parent, text);
  const field = make(kind, "", label);
  listenToKeys(field, () => false);
  return field;
}

function layOut(el, heads) {
  const root = explorer(el, "gm-attention-map gm-pills", "Where a translator looks as it writes a number in German");
  const bar = make("div", "gm-bar", root);
  const field = labelled(bar, "Number ", "input");
  Object.assign(field, { type: "number", min: 1, max: LAST, step: 1 });
  const buttons = make("div", "gm-buttons", bar);
  const select = labelled(bar, "Weights of ", "select");
  ["the mean of the heads", ...Array.from({ length: heads }, (_, h) => `head ${h + 1}`)].forEach((name, value) => {
    Object.assign(make("option", "", select, name), { value });
  });
  const stage = make("div", "gm-stage", root);
  const german = make("div", "gm-words gm-german", stage);
  const lines = draw("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" }, stage);
  const english = make("div", "gm-words gm-english", stage);
  for (const [row, name] of [[german, "German"], [english, "English"]]) {
    row.setAttribute("role", "group");
    row.setAttribute("aria-label", name);
  }
  const status = make("p", "gm-status", root);
  status.setAttribute("role", "status");
  make("p", "gm-hint", root, HINT);
  return { root, field, buttons, select, stage, german, lines, english, status };
}

/** The weights of one head, or of head 0 the mean of all. */
function weightsOf(looks, head) {
  if (head) return looks[head - 1];
  return looks[0].map((_, word) => looks.reduce((sum, row) => sum + row[word], 0) / looks.length);
}

/** The words of both rows, and the lines between them, of a new number. */
function write(parts, words, source, codes, choose) {
  const { german, english, lines } = parts;
  for (const place of [german, english, lines]) place.replaceChildren();
  parts.stage.style.setProperty("--german", codes.length);
  parts.stage.style.setProperty("--english", source.length);
  const said = codes.map((code, place) => {
    const word = button(german, "", () => choose(place), "gm-word");
    make("span", "", word, words[code] || "(end)").lang = code ? "de" : "en";
    word.addEventListener("pointerenter", () => choose(place));
    word.addEventListener("focus", () => choose(place));
    listenToKeys(word, (key) => {
      const step = FORWARD.includes(key) - BACK.includes(key);
      const next = key === "Home" ? 0 : key === "End" ? codes.length - 1 : place + step;
      if (next !== place) said[Math.min(codes.length - 1, Math.max(0, next))].focus();
      return next !== place;
    });
    return word;
  });
  const read = source.map((code) => {
    const tile = make("div", "gm-tile", english);
    make("span", "gm-name", tile, words[code]);
    return { tile, number: make("span", "gm-number", tile) };
  });
  const joints = codes.map((_, t) => source.map((_, s) => joined(lines, t / codes.length, 1 / codes.length, s / source.length, 1 / source.length)));
  return { said, read, joints };
}

/** A line from a German word to an English one: once for rows that lie one over the other, once for columns. */
function joined(svg, from, wide, to, broad) {
  const [a, b] = [100 * (from + wide / 2), 100 * (to + broad / 2)];
  const over = draw("line", { x1: a, y1: 0, x2: b, y2: 100, class: "gm-over" }, svg);
  const beside = draw("line", { x1: 0, y1: a, x2: 100, y2: b, class: "gm-beside" }, svg);
  return [over, beside];
}

/** What is seen of the chosen word: its weights as shades and numbers; of the others pale lines. */
function shade({ said, read, joints }, source, looks, { head, at }, words) {
  said.forEach((word, place) => {
    const weights = weightsOf(looks[place], head);
    const own = place === at;
    word.setAttribute("aria-pressed", own);
    word.tabIndex = own ? 0 : -1;
    const told = source.map((code, s) => [weights[s], words[code]]).sort((a, b) => b[0] - a[0]);
    word.setAttribute("aria-label", `${word.textContent} looks at ${told.map(([w, name]) => `${name} ${shown(w)}`).join(", ")}`);
    joints[place].forEach((pair, s) => {
      for (const line of pair) {
        line.style.opacity = (own ? 1 : 0.3) * weights[s];
        line.style.strokeWidth = 0.5 + 5 * weights[s];
      }
    });
  });
  weightsOf(looks[at], head).forEach((weight, s) => {
    read[s].tile.style.setProperty("--weight", `${(60 * weight).toFixed(1)}%`);
    read[s].number.textContent = shown(weight);
  });
}

function render({ model, el }) {
  const shape = model.get("shape");
  const words = model.get("words");
  const net = translator(shape, halves(model.get("weights")));
  const parts = layOut(el, shape.heads);
  const state = { number: 0, head: 0, at: 0 };
  let source, written, drawn;
  const update = () => {
    shade(drawn, source, written.looks, state, words);
    const weights = weightsOf(written.looks[state.at], state.head);
    parts.root.dataset.state = JSON.stringify({ ...state, german: written.codes.map((code) => words[code]), logp: written.logp, weights });
  };
  const choose = (at) => {
    state.at = at;
    update();
  };
  const setNumber = (number) => {
    const valid = Number.isInteger(number) && number >= 1 && number <= LAST;
    parts.field.setAttribute("aria-invalid", !valid);
    if (!valid) return;
    state.number = number;
    source = spelled(number);
    written = translate(net, source);
    const length = written.codes.filter((code) => code).length;
    state.at = Math.max(0, length - 1);
    drawn = write(parts, words, source, written.codes, choose);
    const said = written.codes.map((code) => words[code]).join(" ").trim();
    parts.status.textContent = `${source.map((code) => words[code]).join(" ")} → ${said}; ln p = ${signed(written.logp, 3)} nats.`;
    update();
  };
  const go = (number) => {
    parts.field.value = Math.min(LAST, Math.max(1, number));
    setNumber(Number(parts.field.value));
  };
  parts.field.addEventListener("input", () => setNumber(parts.field.valueAsNumber));
  parts.select.addEventListener("change", () => {
    state.head = Number(parts.select.value);
    update();
  });
  button(parts.buttons, "−1", () => go(state.number - 1), "", "The number before");
  button(parts.buttons, "+1", () => go(state.number + 1), "", "The next number");
  button(parts.buttons, "Any number", () => go(1 + Math.floor(LAST * Math.random())));
  go(model.get("number"));
}

export default { render };
