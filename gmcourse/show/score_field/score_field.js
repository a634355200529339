// The score field: the exact score of a noised mixture, given or drawn, and walkers that follow it in the page.

import { RELATIVE, SPEEDS, layOut, tell } from "./controls.js";
import { paintField } from "./picture.js";
import { advance, beginAnnealing, drawBlob, newField, positionOf, restart, setLevel, trainFor, useDrawn, useGiven } from "./state.js";
import { walkersShares } from "./walk.js";
import { coloursFor } from "../js/canvas.js";
import { animation, watch } from "../js/clock.js";
import { listenToKeys, moved } from "../js/keys.js";
import { follow } from "../js/pointer.js";
import { scale, signed } from "../js/plot.js";

const BLOB = { stroke: 3, key: 12, apart: 0.04 };

function unpack(model) {
  const names = ["means", "stds", "weights", "largest", "smallest", "levels", "sigma", "steps", "relative", "count"];
  return Object.fromEntries([...names, "extent", "centre", "seed"].map((name) => [name, model.get(name)]));
}

/** The walkers' shares and the true ones, in words. */
function sharesInWords({ mixture, walkers, exact, sigma }) {
  if (exact.length < 2) return "";
  const listed = (shares) => shares.map((share) => share.toFixed(2)).join(", ");
  return ` Shares of the walkers: ${listed(walkersShares(mixture, walkers))}; of p_σ at σ = ${sigma.toPrecision(2)}: ${listed(exact)}.`;
}

/** What the controls do to the field; each ends by showing it. */
function actions(field, page, show) {
  const say = (words) => (page().status.textContent = words);
  const act = { say };
  const done = (words) => {
    show();
    say(words);
  };
  const pause = () => {
    field.mode = "still";
    done(`Paused after ${field.steps.toLocaleString("en")} steps.${sharesInWords(field)}`);
  };
  const empty = () => {
    if (!field.mixture.x.length) say("There are no points yet: draw some first.");
    return !field.mixture.x.length;
  };
  act.walk = () => {
    if (field.mode === "walk") return pause();
    if (empty()) return undefined;
    field.mode = "walk";
    return done("Walking at this level, by the exact score.");
  };
  act.anneal = () => {
    if (field.mode === "anneal") return pause();
    if (empty()) return undefined;
    beginAnnealing(field);
    const { levels, given } = field;
    return done(`New walkers, down ${levels.length} levels from σ = ${levels[0].toPrecision(2)}, ${given.steps} steps at each.`);
  };
  act.arrived = () => done(`Down all levels, after ${field.steps.toLocaleString("en")} steps.${sharesInWords(field)}`);
  act.scatter = () => {
    restart(field);
    if (field.mode === "anneal") field.mode = "still";
    done("The walkers stand anywhere in the window.");
  };
  act.level = (position) => {
    if (field.mode === "anneal") field.mode = "still";
    setLevel(field, field.slide[Math.min(field.slide.length - 1, Math.max(0, position))]);
    done("");
  };
  act.relative = (position) => show((field.relative = RELATIVE[position]));
  act.speed = (position) => show((field.speed = SPEEDS[position]));
  act.source = (source) => {
    field.source = source;
    done(source === "exact" ? "The exact score again." : "Arrows and walkers follow the network: train it, and see them come right.");
  };
  act.train = () => {
    if (!field.training && empty()) return undefined;
    field.training = !field.training;
    if (field.training) field.source = "network";
    return done(field.training ? "Training, here in the page, on draws of the data at all levels." : "Training stopped.");
  };
  const change = (use, words) => {
    field.mode = "still";
    use(field);
    setLevel(field, 0);
    restart(field);
    done(words);
  };
  act.draw = () => {
    field.drawing = !field.drawing;
    if (!field.drawing) return done(field.drawn.length ? "Now let them walk, or anneal." : "Nothing is drawn yet.");
    change(useDrawn, "Draw with the pointer, or with arrow keys and Space: points far from the others begin a new mode.");
    return page().stage.box.focus({ preventScroll: true });
  };
  act.clear = () => {
    field.drawn.length = field.groups.length = 0;
    field.drawing = false;
    act.draw();
  };
  act.given = () => {
    field.drawing = false;
    change(useGiven, "Back at the lesson’s data.");
  };
  act.blob = (place, count) => {
    drawBlob(field, place, count);
    done(`${field.drawn.length} points drawn.`);
  };
  act.move = (place) => {
    const { extent, centre } = field.given;
    field.cursor = place.map((value, axis) => Math.min(centre[axis] + extent, Math.max(centre[axis] - extent, value)));
    done(`Cursor at ${field.cursor.map((value) => signed(value, 2)).join(", ")}.`);
  };
  return act;
}

/** Paints points while the pointer is held down on the plane. */
function paintByPointer(page, field, act) {
  let last = null;
  const paint = (event) => {
    if (!field.drawing) return;
    const place = scale(field.extent, field.given.centre).read(page.stage.svg, event);
    if (last && Math.hypot(place[0] - last[0], place[1] - last[1]) < BLOB.apart * field.extent) return;
    act.blob((last = place), BLOB.stroke);
  };
  follow(page.stage.box, paint, (event) => {
    last = null;
    page.stage.box.focus({ preventScroll: true });
    paint(event);
  });
}

/** What the plane's keys do; true where the key was of use. */
function pressed(field, act, key, shift) {
  const { extent, centre } = field.given;
  const place = field.drawing && (key === "Home" ? centre : moved(field.cursor, key, shift, extent / 20));
  const drawing = { " ": () => act.blob(field.cursor, BLOB.key), Escape: act.draw };
  const walking = { " ": act.walk, a: act.anneal, r: act.scatter };
  const turn = (by) => () => act.level(positionOf(field) + by);
  const keys = field.drawing ? drawing : { ...walking, ArrowLeft: turn(-1), ArrowRight: turn(1) };
  const does = place ? () => act.move(place) : keys[key.length === 1 ? key.toLowerCase() : key];
  does?.();
  return Boolean(does);
}

function render({ model, el }) {
  const field = newField(unpack(model));
  let page = null;
  const paint = () => {
    paintField(page.stage.canvas, field, page.colours);
    field.frames += 1;
  };
  const show = () => {
    page.colours = coloursFor(page.root);
    tell(field, page);
    paint();
    clock.next();
  };
  const act = actions(field, () => page, show);
  const work = (budget) => {
    const { mode, training } = field;
    if (training) trainFor(field, budget / 2);
    if (mode !== "still") advance(field, field.speed, budget);
    if (field.mode !== mode) act.arrived();
  };
  const wanted = () => (field.mode !== "still" || field.training) && field.visible && page.root.isConnected;
  const clock = animation(wanted, work, paint, () => tell(field, page));
  page = layOut(el, act);
  page.root.field = field;
  paintByPointer(page, field, act);
  listenToKeys(page.stage.box, (key, shift) => pressed(field, act, key, shift));
  const unwatch = watch(page.stage.box, (visible) => (field.visible = visible), show);
  show();
  act.say(`The walkers after ${field.steps} steps.${sharesInWords(field)}`);
  return () => {
    clock.end();
    Object.assign(field, { mode: "still", training: false });
    unwatch();
  };
}

export default { render };
