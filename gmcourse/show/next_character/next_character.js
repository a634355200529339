// The next character: the reader types, the model says what may follow, and goes on writing by what is chosen of it.

import { chosen, compared, distinctRuns, entropyOf, picked, ranked } from "./choosing.js";
import { languageModel, reader } from "./lstm.js";
import { button, explorer, make, range } from "../js/elements.js";
import { listenToKeys } from "../js/keys.js";
import { randomness } from "../js/random.js";
import { softmax } from "../js/softmax.js";

const SHOWN = 10; // the likeliest symbols
const AT_ONCE = 40;
const MOST = 1000; // characters of context, and as many drawn
const RUN = 4; // the length of the runs that are counted as repeated
const ENDS = [0.1, 0.2, 0.5, 1]; // what a full bar may stand for
const ITSELF = { t: 1, k: null, mass: 1 };
const GREEDY = { t: 1, k: 1, mass: 1 };
const UNSEEN = { " ": "space", "\n": "newline", "\t": "tab", "\u00a0": "no-break space" };
const HINT =
  "The bars: p as the model gives it, q as it is drawn from. For q all logits are first divided by T, then the k likeliest stay, " +
  "and of these the fewest whose mass reaches a: the set S. At T = 1 the divergence is −ln p(S); another T can only add to it. " +
  "After “Back to the start” the same random numbers come again.";

/** A symbol in words where it cannot be seen. */
const named = (symbol) => UNSEEN[symbol] ?? (/[\s\p{C}]/u.test(symbol) ? `U+${symbol.codePointAt(0).toString(16)}` : symbol);

function newField(root) {
  make("div", "gm-title", root, "Your text");
  const field = make("textarea", "gm-field", root);
  Object.assign(field, { rows: 2, maxLength: MOST, spellcheck: false, autocapitalize: "off", autocomplete: "off" });
  field.setAttribute("aria-label", "Your text, which the model reads");
  listenToKeys(field, () => false);
  return field;
}

/** The table of bars: a row for each of the likeliest symbols, and one for all others. */
function newTable(parent) {
  const title = make("div", "gm-title", parent);
  const table = make("table", "gm-bars", parent);
  const head = make("tr", "", make("thead", "", table));
  const names = ["next", "", "p", "q"].map((text) => make("th", "", head, text));
  names.forEach((name) => name.setAttribute("scope", "col"));
  names[1].setAttribute("aria-hidden", "true");
  const body = make("tbody", "", table);
  const rows = Array.from({ length: SHOWN + 1 }, () => {
    const row = make("tr", "", body);
    const name = make("th", "", row);
    name.setAttribute("scope", "row");
    const box = make("td", "gm-pair", row);
    box.setAttribute("aria-hidden", "true");
    const bars = ["gm-p", "gm-q"].map((kind) => make("div", kind, box));
    return { row, name, bars, numbers: ["p", "q"].map(() => make("td", "", row)) };
  });
  return { title, axis: names[1], rows };
}

/** A slider over `values` under its name; act(value) while it is moved. */
function newSlider(parent, name, values, value, told, act) {
  const box = make("div", "gm-slider", parent);
  make("span", "", box, name);
  const shown = make("span", "gm-shown", box);
  const tell = (index) => {
    shown.textContent = told(values[index]);
    slider.setAttribute("aria-valuetext", shown.textContent);
  };
  const slider = range(box, name, values.length - 1, (index) => (tell(index), act(values[index])));
  slider.value = values.indexOf(value);
  tell(values.indexOf(value));
}

function newNumbers(parent) {
  const list = make("dl", "gm-numbers", parent);
  const entry = (name) => {
    make("dt", "", list, name);
    return make("dd", "", list);
  };
  return {
    entropy: entry("entropy of p → of q"),
    kept: entry("S keeps"),
    mass: entry("p(S), kept mass"),
    surprise: entry("−ln p(S)"),
    divergence: entry("KL(q ‖ p)"),
  };
}

function layOut(el) {
  const root = explorer(el, "gm-next-character gm-pills", "Type a text, and see what the model expects next");
  const field = newField(root);
  const body = make("div", "gm-body", root);
  const table = newTable(make("div", "gm-left", body));
  const right = make("div", "gm-right", body);
  const sliders = make("div", "gm-sliders", right);
  const numbers = newNumbers(right);
  const bar = make("div", "gm-buttons", root);
  const text = make("div", "gm-text", root);
  Object.entries({ tabindex: 0, role: "group", "aria-label": "The text so far" }).forEach((pair) => text.setAttribute(...pair));
  listenToKeys(text, () => false);
  const parts = ["gm-given", "gm-drawn"].map((kind) => make("span", kind, text));
  const status = make("p", "gm-status", root);
  status.setAttribute("role", "status");
  make("p", "gm-hint", root, HINT);
  return { root, field, table, sliders, numbers, bar, text, given: parts[0], drawn: parts[1], status };
}

const inWords = (mass) => (mass === 0 ? "0" : mass < 0.0005 ? "< 0.001" : mass.toFixed(3));

function showTable({ title, axis, rows }, alphabet, codes, p, q) {
  const order = ranked(p);
  const shown = order.slice(0, SHOWN);
  const rest = order.slice(SHOWN);
  const end = ENDS.find((most) => most >= Math.max(...shown.flatMap((v) => [p[v], q[v]])) - 1e-9);
  const tail = codes.slice(-12).map((code) => alphabet[code]).join("").replaceAll("\n", "↵").replaceAll(" ", "␣");
  title.textContent = tail ? `After “${codes.length > 12 ? "…" : ""}${tail}”` : "At the start";
  axis.textContent = `full bar: ${end}`;
  const total = (values) => rest.reduce((sum, v) => sum + values[v], 0);
  rows.forEach(({ row, name, bars, numbers }, place) => {
    const others = place === SHOWN;
    row.hidden = others ? rest.length === 0 : place >= shown.length;
    if (row.hidden) return;
    const v = shown[place];
    const pair = others ? [total(p), total(q)] : [p[v], q[v]];
    name.textContent = others ? `${rest.length} others` : named(alphabet[v]);
    name.classList.toggle("gm-word", name.textContent.length > 1);
    row.classList.toggle("gm-cut", pair[1] === 0);
    pair.forEach((mass, k) => {
      bars[k].style.width = others ? "0" : `${(100 * mass) / end}%`;
      numbers[k].textContent = inWords(mass);
    });
  });
}

function showNumbers(numbers, p, q) {
  const { kept, mass, divergence } = compared(q, p);
  const surprise = Math.max(0, -Math.log(mass));
  numbers.entropy.textContent = `${entropyOf(p).toFixed(3)} → ${Math.max(0, entropyOf(q)).toFixed(3)} nats`;
  numbers.kept.textContent = `${kept} of ${p.length}`;
  numbers.mass.textContent = mass.toFixed(3);
  numbers.surprise.textContent = `${surprise.toFixed(3)} nats`;
  numbers.divergence.textContent = `${Math.max(0, divergence).toFixed(3)} nats`;
  return { entropy: [entropyOf(p), entropyOf(q)], kept, mass, divergence };
}

/** What is said of the text that was drawn: its cost under p, and how much of it is repetition. */
function report({ drawn, cost, odd }, leader) {
  const left = odd.length ? ` Left out, since the model does not know them: ${odd.join(" ")}` : "";
  if (!drawn.length) return `Nothing drawn yet; the likeliest is ${leader}.${left}`;
  const count = `Drawn: ${drawn.length} character${drawn.length > 1 ? "s" : ""} at ${(cost / drawn.length).toFixed(2)} nats each under p`;
  const { distinct, all } = distinctRuns(drawn, RUN);
  return `${count}${all > 0 ? `; ${distinct} of ${all} ${RUN}-grams distinct, a share of ${(distinct / all).toFixed(2)}` : ""}.${left}`;
}

/** The text and what is chosen: type(text), draw(count, choice) and restart(seed) change it. */
function newWriter(net, alphabet) {
  const logitsAfter = reader(net);
  const known = new Map(alphabet.map((symbol, code) => [symbol, code]));
  const state = { context: [], drawn: [], cost: 0, odd: [], seed: 0 };
  let source;
  const codes = () => [...state.context, ...state.drawn];
  const pair = (choice) => {
    const logits = logitsAfter(codes());
    return [ITSELF, choice].map((way) => softmax(chosen(logits, way)));
  };
  const restart = (seed) => {
    Object.assign(state, { drawn: [], cost: 0, seed });
    source = randomness(seed);
  };
  const type = (text) => {
    const symbols = Array.from(text);
    state.odd = [...new Set(symbols.filter((symbol) => !known.has(symbol)))].map(named);
    state.context = symbols.filter((symbol) => known.has(symbol)).map((symbol) => known.get(symbol));
    restart(state.seed);
  };
  const draw = (count, choice) => {
    for (let left = Math.min(count, MOST - state.drawn.length); left > 0; left--) {
      const [p, q] = pair(choice);
      const next = picked(q, source.uniform());
      state.cost -= Math.log(p[next]);
      state.drawn.push(next);
    }
  };
  restart(0);
  return { state, codes, pair, restart, type, draw };
}

function render({ model, el }) {
  const alphabet = Array.from(model.get("alphabet"));
  const writer = newWriter(languageModel(model.get("sizes"), model.get("weights")), alphabet);
  const { state } = writer;
  const choice = { ...model.get("choice") };
  const parts = layOut(el);
  const spelled = (codes) => codes.map((code) => alphabet[code]).join("");
  const show = () => {
    const [p, q] = writer.pair(choice);
    showTable(parts.table, alphabet, writer.codes(), p, q);
    const numbers = showNumbers(parts.numbers, p, q);
    const leader = ranked(p)[0];
    parts.given.textContent = spelled(state.context);
    parts.drawn.textContent = spelled(state.drawn);
    parts.status.textContent = report(state, `${named(alphabet[leader])}, ${inWords(p[leader])}`);
    parts.root.dataset.state = JSON.stringify({ ...state, choice, ...numbers, drawn: spelled(state.drawn) });
    parts.text.scrollTop = parts.text.scrollHeight;
  };
  const slide = (name, key, values, told) => {
    newSlider(parts.sliders, name, values, choice[key], told, (value) => (Object.assign(choice, { [key]: value }), show()));
  };
  const tops = [1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50].filter((k) => k < alphabet.length);
  slide("Temperature T", "t", Array.from({ length: 39 }, (_, n) => (n + 2) / 20), (t) => t.toFixed(2));
  slide("Top k", "k", [...tops, null], (k) => (k === null ? "all" : String(k)));
  slide("Nucleus mass a", "mass", [...Array.from({ length: 19 }, (_, n) => (n + 1) / 20), 0.99, 1], (a) => a.toFixed(2));
  const press = (text, act) => button(parts.bar, text, () => (act(), show()));
  press("Draw one", () => writer.draw(1, choice));
  press(`Draw ${AT_ONCE}`, () => writer.draw(AT_ONCE, choice));
  press(`Greedy ${AT_ONCE}`, () => writer.draw(AT_ONCE, GREEDY));
  press("Back to the start", () => writer.restart(state.seed));
  press("New seed", () => writer.restart(state.seed + 1));
  parts.field.addEventListener("input", () => (writer.type(parts.field.value), show()));
  parts.field.value = model.get("context");
  writer.type(parts.field.value);
  show();
}

export default { render };
