// The GAN stage: a generator and a critic train in the page, on data given, chosen or drawn.

import { layOut } from "./controls.js";
import { madeSet, withBlob } from "./data.js";
import { picture, tell } from "./page.js";
import { advance, begin, goTo, newStage, remember, unpackStage } from "./state.js";
import { coloursFor } from "../js/canvas.js";
import { animation, watch } from "../js/clock.js";
import { listenToKeys, moved } from "../js/keys.js";
import { scale, signed } from "../js/plot.js";

const BLOB = { stroke: 4, key: 12, apart: 0.04 };

/** One frame's training: whole rounds, at most `speed` of them, and no longer than `budget` ms; false: diverged. */
function train(state, budget) {
  const [criticSteps, generatorSteps] = state.round;
  state.due = Math.min(state.due + state.speed, Math.max(1, state.speed));
  const began = performance.now();
  while (state.due >= 1) {
    state.due -= 1;
    if (!advance(state, criticSteps, generatorSteps, false)) return false;
    if (performance.now() - began > budget) break;
  }
  return true;
}

/** Takes back what has diverged, and says so. */
function diverged(state) {
  const { critic, generator } = state.run;
  const when = `${critic.moments.count} critic and ${generator.moments.count} generator steps`;
  goTo(state, state.history.moments.length - 1);
  return `Diverged after ${when}: a loss or a weight is no longer finite. Shown is the last moment kept before. ` +
    "Choose a lower learning rate, then play on or reset.";
}

/** What the controls do to the state; each ends by showing it. */
function actions(state, page, show) {
  const say = (words) => (page().status.textContent = words);
  const counted = () => {
    const { critic, generator } = state.run;
    return `${critic.moments.count} critic steps, ${generator.moments.count} generator steps`;
  };
  function pause(words) {
    state.playing = false;
    remember(state, true);
    show();
    say(words);
  }
  function ready() {
    if (!state.data.length) say("There are no points yet: draw some first.");
    return state.data.length > 0;
  }
  function again(words) {
    begin(state);
    show();
    say(words);
  }
  const act = { show, say };
  act.reset = () => {
    state.playing = false;
    again("Back at the first weights: the same steps give the same run again.");
  };
  act.stop = () => pause(diverged(state));
  act.play = () => {
    if (state.playing) return pause(`Paused after ${counted()}.`);
    if (!ready()) return undefined;
    const past = state.at < state.history.moments.length - 1;
    Object.assign(state, { playing: true, due: 0 });
    show();
    return say(past ? "Training goes on from here; what came after is forgotten." : "Training, here in the page.");
  };
  act.step = (name) => {
    if (!ready()) return;
    const [criticSteps, generatorSteps] = name === "both" ? state.round : [Number(name === "critic"), Number(name !== "critic")];
    const sound = advance(state, criticSteps, generatorSteps, true);
    if (!sound) return act.stop();
    show();
    if (!state.playing) say(`${counted()}.`);
  };
  act.scrub = (index) => {
    state.playing = false;
    remember(state, true);
    goTo(state, index);
    show();
    say(`After ${counted()}. Play goes on from here.`);
  };
  act.set = (changes) => {
    Object.assign(state, changes);
    show();
  };
  act.choose = (set) => {
    const { given, drawn } = state;
    state.set = set;
    state.data = set === "drawn" ? drawn : set === "given" ? given.points : madeSet(set, given.extent, given.centre);
    state.drawing = set === "drawn" && !drawn.length;
    if (!state.data.length) state.playing = false;
    again(state.drawing ? "Draw with the pointer, or with arrow keys and Space." : "New data, and back at the first weights.");
    if (state.drawing) page().stage.box.focus({ preventScroll: true });
  };
  act.draw = () => {
    if (!state.drawing && state.set !== "drawn") act.choose("drawn");
    else state.drawing = !state.drawing;
    if (state.set === "drawn" && state.drawing === false && !state.data.length) say("Nothing is drawn yet.");
    show();
  };
  act.clear = () => {
    state.drawn = new Float32Array(0);
    act.choose("drawn");
  };
  act.blob = (place, count) => {
    state.cursor = place;
    state.data = state.drawn = withBlob(state.drawn, place, count, state.brush, state.given.extent, state.given.centre);
    if (!state.playing) show();
    say(`${state.data.length / 2} points drawn.`);
  };
  act.move = (place) => {
    const { extent, centre } = state.given;
    state.cursor = place.map((value, axis) => Math.min(centre[axis] + extent, Math.max(centre[axis] - extent, value)));
    if (!state.playing) show();
    say(`Cursor at ${signed(state.cursor[0], 2)}, ${signed(state.cursor[1], 2)}.`);
  };
  return act;
}

/** Paints points while the pointer is held down on the plane. */
function paintByPointer(svg, state, act) {
  const { read } = scale(state.given.extent, state.given.centre);
  let last = null;
  svg.addEventListener("pointerdown", (event) => {
    if (!state.drawing || event.button !== 0) return;
    event.preventDefault();
    svg.parentElement.focus({ preventScroll: true });
    svg.setPointerCapture(event.pointerId);
    act.blob((last = read(svg, event)), BLOB.stroke);
  });
  svg.addEventListener("pointermove", (event) => {
    if (!last) return;
    const place = read(svg, event);
    if (Math.hypot(place[0] - last[0], place[1] - last[1]) < BLOB.apart * state.given.extent) return;
    act.blob((last = place), BLOB.stroke);
  });
  for (const end of ["pointerup", "pointercancel"]) svg.addEventListener(end, () => (last = null));
}

/** What the plane's keys do; true where the key was of use. */
function pressed(state, act, key, shift) {
  if (state.drawing) {
    const { extent, centre } = state.given;
    const place = key === "Home" ? centre : moved(state.cursor, key, shift, extent / 20);
    if (place) act.move(place);
    else if (key === " " || key === "Enter") act.blob(state.cursor, BLOB.key);
    else if (key === "Escape") act.draw();
    else return false;
    return true;
  }
  const does = {
    ...{ " ": act.play, c: () => act.step("critic"), g: () => act.step("generator"), b: () => act.step("both") },
    ...{ r: () => act.reset(), ArrowLeft: () => act.scrub(state.at - 1), ArrowRight: () => act.scrub(state.at + 1) },
  }[key.length === 1 ? key.toLowerCase() : key];
  does?.();
  return Boolean(does);
}

function render({ model, el }) {
  const state = newStage(unpackStage(model));
  const layers = { heat: true, ...(state.view.corners && { grid: true }), real: true, fake: true, arrows: true };
  let page = null;
  function show() {
    page.colours = coloursFor(page.root);
    picture(state, page, layers);
    tell(state, page);
    clock.next();
  }
  const act = actions(state, () => page, show);
  const wanted = () => state.playing && state.visible && page.root.isConnected;
  const work = (budget) => train(state, budget) || act.stop();
  const clock = animation(wanted, work, () => picture(state, page, layers), () => tell(state, page));
  page = layOut(el, state.given, layers, state.speed, act);
  page.root.stage = state;
  paintByPointer(page.stage.svg, state, act);
  listenToKeys(page.stage.box, (key, shift) => pressed(state, act, key, shift));
  const unwatch = watch(page.stage.box, (visible) => (state.visible = visible), show);
  show();
  act.say("Ready. Play, or take the steps one by one.");
  return () => {
    clock.end();
    state.playing = false;
    unwatch();
  };
}

export default { render };
