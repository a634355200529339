// The state of a stage: its run, data, history and settings, and how it goes on.

import { forgetAfter, isDue, newHistory, note } from "./history.js";
import { newView } from "./scene.js";
import { criticStep, generatorStep, isSound, newRun, restore, snapshot } from "./training.js";
import { randomness } from "../js/random.js";
import { floats } from "../js/mlp.js";

/** The traits as numbers and names. */
export function unpackStage(model) {
  const player = (name) => [model.get(`${name}_layers`), floats(model.get(`${name}_weights`))];
  const [criticRate, generatorRate] = model.get("rates");
  return {
    ...{ generator: player("generator"), critic: player("critic"), points: floats(model.get("points")) },
    ...{ latentSize: model.get("latent_size"), batch: model.get("batch_size"), seed: model.get("seed") },
    ...{ criticRate, generatorRate, round: model.get("steps"), kind: model.get("losses") },
    ...{ extent: model.get("extent"), centre: model.get("centre"), name: model.get("name") },
  };
}

/** The run, its data, its history and its settings. */
export function newStage(given) {
  const { kind, criticRate, generatorRate, round, points } = given;
  const stage = { given, kind, criticRate, generatorRate, round, speed: 5, data: points, drawn: new Float32Array(0) };
  Object.assign(stage, { set: "given", brush: randomness(given.seed + 1), cursor: given.centre, playing: false, drawing: false });
  begin(stage);
  return Object.assign(stage, { view: newView(stage.run, given.latentSize, given.extent, given.centre) });
}

/** The run from its first weights and its first draws. */
export function begin(stage) {
  stage.run = newRun(stage.given);
  stage.history = newHistory();
  stage.sums = {};
  remember(stage, true);
}

/** The steps of both players together. */
export function stepsOf({ critic, generator }) {
  return critic.moments.count + generator.moments.count;
}

/** Notes the moment in the history if it is due, or `always` a new one; nothing where the stage shows the past. */
export function remember(stage, always) {
  const { history, run } = stage;
  if (stage.at < history.moments.length - 1 || !isDue(history, stepsOf(run), always)) return;
  const mean = ([name, [total, count]]) => [name, total / count];
  note(history, { kept: snapshot(run), losses: Object.fromEntries(Object.entries(stage.sums).map(mean)) });
  Object.assign(stage, { sums: {}, at: history.moments.length - 1 });
}

/** So many steps of each player, in this order; false where the run has diverged, which leaves it at its last moment. */
export function advance(stage, criticSteps, generatorSteps, always) {
  const { history, run } = stage;
  forgetAfter(history, stage.at);
  const steps = [...Array(criticSteps).fill("critic"), ...Array(generatorSteps).fill("generator")];
  for (const name of steps) {
    if (name === "critic") criticStep(run, stage.data, stage);
    else generatorStep(run, stage);
    if (!isSound(run)) return false;
    const [total, count] = stage.sums[name] ?? [0, 0];
    stage.sums[name] = [total + run[name].loss, count + 1];
  }
  remember(stage, always);
  return true;
}

/** Takes the run back, or forward again, to a moment of its history. */
export function goTo(stage, index) {
  stage.at = Math.min(stage.history.moments.length - 1, Math.max(0, index));
  stage.sums = {};
  restore(stage.run, stage.history.moments[stage.at].kept);
}
