// The model table: sort the models by any property, filter them, and plot any two of their properties.

import { explorer, make } from "../js/elements.js";
import { newAxes, newFilter, showAxes, showFilter } from "./choices.js";
import { detailsOf, isWanted, NAMED, sortedBy, sortSentence, titled } from "./order.js";
import { drawScatter, lightDot, newScatter } from "./scatter.js";
import { bringIntoSight, fillTable, lightLine, newTable } from "./table.js";

const HINT =
  "Press a head to sort by it, again to turn the order; models without a value come last. ± is one standard deviation over " +
  "seeds. Point at a dot or a row to see one model in both, press it to keep it. In the plot and among the names the arrow " +
  "keys lead from model to model.";

/** Where the parts of the explorer stand: the filter, the plot with its axes, what is said of one model, the table. */
function build(root, { columns, rows, colours }, state, set, act) {
  const families = [...new Set(rows.map(({ family }) => family))];
  const numberOf = (family) => families.indexOf(family);
  const colourOf = (family) => colours[numberOf(family) % colours.length];
  const measured = columns.filter(({ unit }) => unit !== null);
  const filter = newFilter(root, families, numberOf, colourOf, state, set);
  const axes = newAxes(root, measured, set);
  const scatter = newScatter(root, rows, numberOf, colourOf, act);
  const without = make("p", "gm-without", root);
  const details = make("p", "gm-details", root);
  const table = newTable(root, columns, rows, numberOf, colourOf, act);
  const said = make("p", "gm-said", root);
  said.setAttribute("aria-live", "polite");
  make("p", "gm-hint", root, HINT);
  return { filter, axes, scatter, without, details, table, said };
}

/** The width that the page has for the plot, and a height that suits it. */
function sizeOf(svg) {
  const width = Math.round(svg.getBoundingClientRect().width);
  return { width, height: width < 520 ? 300 : 400 };
}

/** What is said of one model, "" for none, below the plot. */
function tell(details, row, columns, plotted) {
  details.replaceChildren();
  if (!row) return void (details.textContent = "Point at a dot or a row for one model.");
  make("strong", "", details, row.name).after(` (${row.family}). ${detailsOf(row, columns, plotted).join(". ")}.`);
}

/** As high as the model of which most is said needs: else what is below would move under the pointer. */
function keepRoom(details, rows, columns, plotted) {
  const length = (row) => row.name.length + detailsOf(row, columns, plotted).join().length;
  details.style.minHeight = "";
  tell(details, rows.reduce((most, row) => (length(row) > length(most) ? row : most)), columns, plotted);
  details.style.minHeight = `${details.offsetHeight}px`;
}

function render({ model, el }) {
  const [columns, rows, colours] = ["columns", "rows", "colours"].map((name) => model.get(name));
  const root = explorer(el, "gm-model-table", "Models in a table and a plot");
  const state = (name) => model.get(name);
  const set = (changes) => {
    for (const [name, value] of Object.entries(changes)) model.set(name, value);
    model.save_changes();
  };
  const columnOf = (key) => [...NAMED, ...columns].find((column) => column.key === key);
  const shown = () => sortedBy(rows, columnOf(state("sort")), state("backwards")).filter((row) => isWanted(row, columns, state("hidden"), state("words")));
  const looked = { point: "", focus: "" };
  const act = {
    sort: (key) => set(key === state("sort") ? { backwards: !state("backwards") } : { backwards: false, sort: key }),
    choose: (name) => set({ chosen: name === state("chosen") ? "" : name }),
    point: (name) => look({ point: name }),
    focus: (name) => look({ focus: name }),
  };
  const plotted = () => [columnOf(state("y")), columnOf(state("x"))];
  const view = build(root, { columns, rows, colours }, state, set, act);

  function look(changes) {
    Object.assign(looked, changes);
    showOne();
  }
  function showOne() {
    const name = looked.point || looked.focus || state("chosen");
    lightDot(view.scatter, name);
    lightLine(view.table, name, state("chosen"));
    for (const [other, dot] of view.scatter.dots) dot.setAttribute("aria-pressed", String(other === state("chosen")));
    tell(view.details, rows.find((row) => row.name === name), columns, plotted());
    root.dataset.lit = name;
  }
  function showPlot() {
    const size = sizeOf(view.scatter.svg);
    if (!size.width) return;
    const [y, x] = plotted();
    const missing = drawScatter(view.scatter, shown(), x, y, [state("x_log"), state("y_log")], size);
    const words = `Plot of ${titled(y)} against ${titled(x)}, ${view.scatter.placed.length} models; the arrow keys lead from dot to dot`;
    view.scatter.svg.setAttribute("aria-label", words);
    view.without.textContent = missing.length ? `Not in this plot, for want of a number: ${missing.join(", ")}.` : "";
    keepRoom(view.details, rows, columns, plotted());
    showOne();
  }
  function turn() {
    showAxes(view.axes, state);
    showPlot();
  }
  function showAll() {
    const models = shown();
    fillTable(view.table, models, state("sort"), state("backwards"));
    showFilter(view.filter, state("hidden"), state("words"), models.length, rows.length);
    turn();
  }
  const sorted = () => {
    view.said.textContent = sortSentence(columnOf(state("sort")), state("backwards"));
    view.table.box.scrollTop = 0;
  };
  const kept = () => {
    showOne();
    bringIntoSight(view.table, state("chosen"));
  };
  const heard = [
    ["change:sort change:backwards change:hidden change:words", showAll],
    ["change:sort change:backwards", sorted],
    ["change:x change:y change:x_log change:y_log", turn],
    ["change:chosen", kept],
  ];
  for (const [names, listener] of heard) model.on(names, listener);
  const resized = new ResizeObserver(showPlot);
  resized.observe(root);
  showAll();
  return () => {
    resized.disconnect();
    for (const [names, listener] of heard) model.off(names, listener);
  };
}

export default { render };
