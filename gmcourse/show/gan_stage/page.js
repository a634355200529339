// What the page says of a stage: numbers, slider, chart, and the picture.

import { drawChart } from "./chart.js";
import { lossesOf, stepsIn } from "./history.js";
import { LOSSES } from "./losses.js";
import { paintStage } from "./picture.js";
import { sceneOf } from "./scene.js";
import { stepsOf } from "./state.js";
import { coloursFor } from "../js/canvas.js";
import { scale, signed } from "../js/plot.js";

function grouped(count) {
  return count.toLocaleString("en");
}

/** What the loss would be at the equilibrium, where that is known: the number, and its name if it has one. */
function balanceWords(limit) {
  if (!limit) return "";
  const [value, name] = limit;
  return `equilibrium: ${name === signed(value) ? name : `${name} = ${signed(value, 3)}`}`;
}

function tellPlayers({ run, kind }, { cards }) {
  const { limits, unit } = LOSSES[kind];
  for (const name of ["critic", "generator"]) {
    cards[name].count.textContent = grouped(run[name].moments.count);
    const { loss } = run[name];
    cards[name].loss.textContent = Number.isFinite(loss) ? `loss ${signed(loss, 3)} ${unit}` : "no step yet";
    cards[name].balance.textContent = balanceWords(limits[name]);
  }
}

function tellTime({ run, kind, history, at }, { time, chart }) {
  const end = history.moments.length - 1;
  const now = stepsOf(run);
  const last = Math.max(now, stepsIn(history.moments[end]));
  Object.assign(time.slider, { max: end, value: at });
  const words = at < end ? `after ${grouped(now)} of ${grouped(last)} steps` : "now";
  time.words.textContent = words;
  time.slider.setAttribute("aria-valuetext", at < end ? words : `now, after ${grouped(now)} steps`);
  const losses = { critic: lossesOf(history, "critic"), generator: lossesOf(history, "generator") };
  drawChart(chart, losses, LOSSES[kind].limits, now, last);
}

function tellControls({ kind, playing, drawing, set, cursor, given }, { stage, bar, menus }) {
  stage.low.textContent = `fake: ${LOSSES[kind].low}`;
  stage.high.textContent = `real: ${LOSSES[kind].high}`;
  bar.play.textContent = playing ? "❚❚ Pause" : "▶ Play";
  bar.drawing.setAttribute("aria-pressed", String(drawing));
  bar.drawing.textContent = drawing ? "Done drawing" : "Draw your own";
  bar.clear.hidden = set !== "drawn";
  menus.data.selectedIndex = menus.sets.indexOf(set);
  stage.box.classList.toggle("gm-draws", drawing);
  stage.cursor.setAttribute("transform", `translate(${scale(given.extent, given.centre).place(cursor).join(" ")})`);
}

/** The picture alone, which follows every frame. */
export function picture({ run, view, kind, data }, { stage, root, ...page }, layers) {
  paintStage(stage.canvas, sceneOf(run, view, kind, layers), data, view, layers, page.colours ?? coloursFor(root));
}

/** All numbers and words, the chart and the controls. */
export function tell(state, page) {
  tellPlayers(state, page);
  tellTime(state, page);
  tellControls(state, page);
  const { run, data, history, playing, drawing, set, at } = state;
  const counts = { critic: run.critic.moments.count, generator: run.generator.moments.count };
  const moments = { moment: at, moments: history.moments.length };
  Object.assign(page.root.dataset, counts, moments, { playing, drawing, set, points: data.length / 2 });
}
