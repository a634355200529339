// Training in the page: draws, the critic's step, the generator's step, and a state that can be kept.

import { LOSSES, meanLoss } from "./losses.js";
import { backwardBatch, forwardBatch, network, workspace } from "./network.js";
import { adamStep, newMoments } from "../js/adam.js";
import { fillNormal, randomness } from "../js/random.js";

function player(layers, weights, batch) {
  const net = network(layers, weights);
  return { net, space: workspace(net, batch), moments: newMoments(weights.length), loss: NaN };
}

/** A run at its start: both players, the draws, and room for a batch. `given`: layers, weights, latentSize, batch, seed. */
export function newRun({ generator, critic, latentSize, batch, seed }) {
  return {
    generator: player(...generator, batch),
    critic: player(...critic, batch),
    random: randomness(seed),
    latents: new Float32Array(batch * latentSize),
    real: new Float32Array(2 * batch),
    slopes: new Float32Array(batch),
  };
}

/** The critic's gradient on its loss over `real` and `fake` points, and that loss. */
export function criticGradient({ critic, slopes }, kind, real, fake) {
  const loss = LOSSES[kind];
  critic.net.gradient.fill(0);
  let total = 0;
  for (const [points, side] of [[real, loss.real], [fake, loss.fake]]) {
    total += meanLoss(side, forwardBatch(critic.net, critic.space, points), slopes);
    backwardBatch(critic.net, critic.space, slopes);
  }
  return total;
}

/** The generator's gradient on its loss over `latents`, that loss, and its slope in each fake point (batch × 2). */
export function generatorGradient({ generator, critic, slopes }, kind, latents) {
  generator.net.gradient.fill(0);
  const fake = forwardBatch(generator.net, generator.space, latents);
  const values = forwardBatch(critic.net, critic.space, fake);
  const loss = meanLoss(LOSSES[kind].generator, values, slopes);
  const inPoints = backwardBatch(critic.net, critic.space, slopes, false);
  backwardBatch(generator.net, generator.space, inPoints);
  return { loss, inPoints };
}

function clip({ net }, kind) {
  const bound = LOSSES[kind].clip;
  if (bound) net.weights.forEach((weight, k) => (net.weights[k] = Math.min(bound, Math.max(-bound, weight))));
}

/** One step of the critic on a fresh batch of `data` (n × 2, row by row) against as many fakes. */
export function criticStep(run, data, { kind, criticRate }) {
  const { critic, generator, real, latents, random } = run;
  clip(critic, kind);
  for (let k = 0; k < real.length; k += 2) {
    const row = 2 * Math.floor((random.uniform() * data.length) / 2);
    real[k] = data[row];
    real[k + 1] = data[row + 1];
  }
  const fake = forwardBatch(generator.net, generator.space, fillNormal(latents, random));
  critic.loss = criticGradient(run, kind, real, fake);
  adamStep(critic.net, critic.moments, criticRate);
}

/** One step of the generator on fresh latents, the critic held still. */
export function generatorStep(run, { kind, generatorRate }) {
  const { generator, critic, latents, random } = run;
  clip(critic, kind);
  generator.loss = generatorGradient(run, kind, fillNormal(latents, random)).loss;
  adamStep(generator.net, generator.moments, generatorRate);
}

/** Whether both losses, where there are any, and all weights are finite. */
export function isSound({ generator, critic }) {
  return [generator, critic].every(({ net, loss, moments }) => {
    if (moments.count && !Number.isFinite(loss)) return false;
    return net.weights.every(Number.isFinite);
  });
}

/** A copy of everything that decides how the run goes on. */
export function snapshot({ generator, critic, random }) {
  const keep = ({ net, moments, loss }) => ({
    ...{ weights: net.weights.slice(), loss, count: moments.count },
    ...{ first: moments.first.slice(), second: moments.second.slice() },
  });
  return { generator: keep(generator), critic: keep(critic), state: random.state };
}

/** Takes the run back to a snapshot of it. */
export function restore(run, kept) {
  for (const name of ["generator", "critic"]) {
    const { net, moments } = run[name];
    const { weights, first, second, count, loss } = kept[name];
    net.weights.set(weights);
    moments.first.set(first);
    moments.second.set(second);
    moments.count = count;
    run[name].loss = loss;
  }
  run.random.state = kept.state;
}
