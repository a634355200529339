// A denoiser that is trained in the page on draws of the mixture, at all levels at once, and its score.

import { backwardBatch, forwardBatch, network, workspace } from "../gan_stage/network.js";
import { adamStep, newMoments } from "../js/adam.js";
import { fillNormal, randomness } from "../js/random.js";

const [BATCH, WIDTH, PEAK, FADES] = [128, 32, 1e-2, 1500];
const LAYERS = [[3, WIDTH], "tanh", [WIDTH, WIDTH], "tanh", [WIDTH, 2]];

/** Weights as wide as 1/√inputs, and biases of 0; the last layer of zeros. */
function firstWeights(random) {
  const linear = LAYERS.filter((layer) => typeof layer !== "string");
  const parts = linear.map(([inputs, outputs], k) => {
    const part = new Float32Array((inputs + 1) * outputs);
    if (k < linear.length - 1) fillNormal(part.subarray(0, inputs * outputs), random);
    return part.map((value) => value / Math.sqrt(inputs));
  });
  return Float32Array.from(parts.flatMap((part) => Array.from(part)));
}

/** The centre of the mixture and its standard deviation, per axis. */
function spreadOf({ x, y, stds, weights }) {
  const mean = (values) => values.reduce((sum, value, k) => sum + weights[k] * value, 0);
  const centre = [mean(x), mean(y)];
  const squares = x.map((value, k) => ((value - centre[0]) ** 2 + (y[k] - centre[1]) ** 2) / 2 + stds[k] ** 2);
  return { centre, spread: Math.sqrt(mean(squares)) };
}

/** A network that knows nothing yet, for levels from `least` to `most`. */
export function newLearner(mixture, least, most, seed) {
  const random = randomness(seed);
  const net = network(LAYERS, firstWeights(random));
  const room = { input: new Float32Array(3 * BATCH), slopes: new Float32Array(2 * BATCH), noise: new Float64Array(4 * BATCH) };
  const learner = { net, space: workspace(net, BATCH), moments: newMoments(net.weights.length), spaces: {}, loss: NaN };
  return Object.assign(learner, { random, least, most, ...room, ...spreadOf(mixture) });
}

/** What the network is given for x̃ at σ: (x̃ − m)/√(s² + σ²) and ln σ / 4. */
function fillRow(input, row, dx, dy, sigma, spread) {
  const whole = 1 / Math.hypot(spread, sigma);
  input[3 * row] = whole * dx;
  input[3 * row + 1] = whole * dy;
  input[3 * row + 2] = Math.log(sigma) / 4;
}

/** One step of Adam on the mean of ‖f − target‖², target = (x − c_skip x̃)/c_out, over a batch of draws and levels. */
export function trainStep(learner, mixture) {
  const { net, space, input, slopes, noise, random, least, most, spread, centre, moments } = learner;
  fillNormal(noise, random);
  const target = slopes;
  for (let row = 0; row < BATCH; row++) {
    let [k, left] = [0, random.uniform()];
    while (k < mixture.x.length - 1 && (left -= mixture.weights[k]) > 0) k++;
    const sigma = least * (most / least) ** random.uniform();
    const [whole, skip] = [Math.hypot(spread, sigma), spread ** 2 / (spread ** 2 + sigma ** 2)];
    const clean = [mixture.x[k] - centre[0] + mixture.stds[k] * noise[4 * row], mixture.y[k] - centre[1] + mixture.stds[k] * noise[4 * row + 1]];
    const [dx, dy] = [clean[0] + sigma * noise[4 * row + 2], clean[1] + sigma * noise[4 * row + 3]];
    fillRow(input, row, dx, dy, sigma, spread);
    target[2 * row] = ((clean[0] - skip * dx) * whole) / (spread * sigma);
    target[2 * row + 1] = ((clean[1] - skip * dy) * whole) / (spread * sigma);
  }
  const output = forwardBatch(net, space, input);
  let total = 0;
  for (let k = 0; k < slopes.length; k++) {
    const lack = output[k] - target[k];
    total += lack * lack;
    slopes[k] = (2 * lack) / BATCH;
  }
  net.gradient.fill(0);
  backwardBatch(net, space, slopes);
  adamStep(net, moments, PEAK / (1 + moments.count / FADES), 0.9);
  learner.loss = Number.isFinite(learner.loss) ? 0.98 * learner.loss + (0.02 * total) / BATCH : total / BATCH;
}

/** The network's score (x* − x̃)/σ² at points (n × 2), into `out`. */
export function learnedScores(learner, points, sigma, out) {
  const { net, spaces, spread, centre } = learner;
  const count = points.length / 2;
  const room = (spaces[count] ??= { space: workspace(net, count), input: new Float32Array(3 * count) });
  for (let row = 0; row < count; row++) {
    fillRow(room.input, row, points[2 * row] - centre[0], points[2 * row + 1] - centre[1], sigma, spread);
  }
  const output = forwardBatch(net, room.space, room.input);
  const whole = spread ** 2 + sigma ** 2;
  for (let k = 0; k < points.length; k++) {
    out[k] = (spread * output[k]) / (sigma * Math.sqrt(whole)) - (points[k] - centre[k % 2]) / whole;
  }
}
