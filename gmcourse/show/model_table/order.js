// Models in order, those that are wanted, and what is said of both.

/** The columns of every table, before those that are given. */
export const NAMED = [
  { key: "name", label: "Model", unit: null, better: null },
  { key: "family", label: "Family", unit: null, better: null },
];

/** A model's value in a column: a number, words, or null. */
export function valueOf(row, key) {
  return key === "name" || key === "family" ? row[key] : row.cells[key].value;
}

/** The models by a column, the best first (or the smallest, or by the alphabet), or backwards; those without a value last. */
export function sortedBy(rows, { key, unit, better }, backwards) {
  const there = rows.filter((row) => valueOf(row, key) !== null);
  const sign = (better === "high" ? -1 : 1) * (backwards ? -1 : 1);
  const before = (a, b) => (unit === null ? a.localeCompare(b, "en", { numeric: true }) : a - b);
  there.sort((a, b) => sign * before(valueOf(a, key), valueOf(b, key)));
  return [...there, ...rows.filter((row) => valueOf(row, key) === null)];
}

/** "ascending" or "descending". */
export function directionOf({ better }, backwards) {
  return (better === "high") === backwards ? "ascending" : "descending";
}

/** How the table is sorted, in words. */
export function sortSentence({ label, unit, better }, backwards) {
  const ways = unit === null ? ["A to Z", "Z to A"] : better ? ["best first", "worst first"] : ["smallest first", "largest first"];
  return `sorted by ${label}, ${ways[Number(backwards)]}`;
}

/** Whether a model is of a family that is shown, and all the words are in its name, its family or its words. */
export function isWanted(row, columns, hidden, words) {
  const texts = columns.filter(({ unit }) => unit === null).map(({ key }) => row.cells[key].value ?? "");
  const text = [row.name, row.family, ...texts].join(" ").toLowerCase();
  return !hidden.includes(row.family) && words.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/** A column's label with its unit. */
export function titled({ label, unit }) {
  return unit ? `${label} (${unit})` : label;
}

/** A model's number in a column with its unit, in words. */
export function valueInWords({ cells }, { key, label, unit }) {
  return `${label}: ${cells[key].text}${unit ? ` ${unit}` : ""}`;
}

/** What stands below the plot: [words, …] of the properties that are plotted, with their seeds, and of what is missing. */
export function detailsOf(row, columns, plotted) {
  const there = ({ key }) => row.cells[key].value !== null;
  const numbers = plotted.filter(there).map((column) => {
    const { seeds, each } = row.cells[column.key];
    return valueInWords(row, column) + (each ? `; ${seeds.length} seeds: ${each}` : "");
  });
  const missing = columns.filter((column) => !there(column));
  return [...numbers, ...missing.map(({ key, label }) => `${label}: –, ${row.cells[key].why}`)];
}

/** The neighbour of `name` that a key leads to among dots { name, x, y }; y grows downwards; null for other keys. */
export function neighbour(dots, name, key) {
  const axis = { ArrowLeft: "x", ArrowRight: "x", Home: "x", End: "x", ArrowUp: "y", ArrowDown: "y" }[key];
  if (!axis || !dots.length) return null;
  const line = [...dots].sort((a, b) => a[axis] - b[axis]);
  const from = line.findIndex((dot) => dot.name === name);
  const step = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
  const to = { Home: 0, End: line.length - 1 }[key] ?? Math.min(line.length - 1, Math.max(0, from + step));
  return line[to].name;
}
