// The table of models: heads that sort, and a row a model.

import { button, make } from "../js/elements.js";
import { listenToKeys } from "../js/keys.js";
import { directionOf, NAMED, titled } from "./order.js";
import { mark } from "./scatter.js";
import { draw } from "../js/plot.js";

/** The table in a box that scrolls; act = { sort(key), point(name), focus(name), choose(name) }. */
export function newTable(parent, columns, rows, numberOf, colourOf, act) {
  const box = make("div", "gm-scrolls", parent);
  Object.assign(box, { tabIndex: 0 });
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", "Table of models, scrolls");
  listenToKeys(box, () => false);
  const table = make("table", "gm-models", box);
  const heads = make("tr", "", make("thead", "", table));
  const all = [...NAMED, ...columns];
  const view = { box, columns: all, heads: new Map(all.map((column) => [column.key, newHead(heads, column, act.sort)])) };
  view.body = make("tbody", "", table);
  view.lines = new Map(rows.map((row) => [row.name, newLine(view, row, columns, numberOf, colourOf, act)]));
  return view;
}

function newHead(parent, column, sort) {
  const head = make("th", column.unit === null ? "" : "gm-number", parent);
  head.scope = "col";
  const press = button(head, "", () => sort(column.key), "gm-sort");
  make("span", "gm-head", press, titled(column)).after(" ");
  make("span", "gm-arrow", press).setAttribute("aria-hidden", "true");
  if (column.better) make("span", "gm-better", press, `${column.better}er is better`);
  return head;
}

function newLine(view, row, columns, numberOf, colourOf, act) {
  const line = make("tr", "", view.body);
  const head = make("th", "", line);
  head.scope = "row";
  const choose = button(head, "", () => act.choose(row.name), "gm-choose");
  const swatch = draw("svg", { viewBox: "-8 -8 16 16", class: "gm-swatch", "aria-hidden": "true" }, choose);
  mark(numberOf(row.family), colourOf(row.family), swatch);
  make("span", "", choose, row.name);
  make("td", "", line, row.family);
  for (const { key, unit } of columns) {
    const { value, text, why } = row.cells[key];
    const cell = make("td", unit === null ? "" : "gm-number", line);
    make("span", value === null ? "gm-none" : "", cell, text);
    if (value !== null) continue;
    cell.title = why;
    cell.firstChild.setAttribute("aria-hidden", "true");
    make("span", "gm-said", cell, `none: ${why}`);
  }
  line.addEventListener("pointerenter", () => act.point(row.name));
  line.addEventListener("pointerleave", () => act.point(""));
  line.addEventListener("click", (event) => choose.contains(event.target) || act.choose(row.name));
  choose.addEventListener("focus", () => (restInTable(view, row.name), act.focus(row.name)));
  choose.addEventListener("blur", () => act.focus(""));
  listenToKeys(choose, (key) => step(view, line, key, act));
  return { line, choose };
}

/** Up and down, Home and End lead through the names; Escape gives up the choice. */
function step({ body }, line, key, act) {
  if (key === "Escape") act.choose("");
  const ends = { ArrowUp: line.previousElementSibling, ArrowDown: line.nextElementSibling, Home: body.firstElementChild, End: body.lastElementChild };
  ends[key]?.querySelector("button").focus();
  return key in ends;
}

/** Where Tab comes to rest among the names. */
function restInTable({ lines }, name) {
  for (const [other, { choose }] of lines) choose.tabIndex = other === name ? 0 : -1;
}

/** The rows in this order and no others, under a head that says how they are sorted. */
export function fillTable(view, rows, sort, backwards) {
  for (const column of view.columns) {
    const head = view.heads.get(column.key);
    const direction = column.key === sort ? directionOf(column, backwards) : "";
    if (direction) head.setAttribute("aria-sort", direction);
    else head.removeAttribute("aria-sort");
    head.querySelector(".gm-arrow").textContent = { ascending: "▲", descending: "▼", "": "" }[direction];
  }
  view.body.replaceChildren(...rows.map(({ name }) => view.lines.get(name).line));
  const stop = rows.find(({ name }) => view.lines.get(name).choose.tabIndex === 0) ?? rows[0];
  restInTable(view, stop?.name);
}

/** Marks the row of one model, "" for none, and the model that is chosen. */
export function lightLine({ lines }, name, chosen) {
  for (const [other, { line, choose }] of lines) {
    line.classList.toggle("gm-lit", other === name);
    choose.setAttribute("aria-pressed", String(other === chosen));
  }
}

/** Scrolls the box, and nothing else, to where the row of a model is seen. */
export function bringIntoSight({ box, lines, heads }, name) {
  const line = lines.get(name)?.line;
  if (!line?.isConnected) return;
  const [top, height] = [line.offsetTop, heads.get("name").offsetHeight];
  if (top < box.scrollTop + height) box.scrollTop = top - height;
  else if (top + line.offsetHeight > box.scrollTop + box.clientHeight) box.scrollTop = top + line.offsetHeight - box.clientHeight;
}
