// A small U-Net that paints: an outline and a few numbers in, a picture in colour out.

import { convolved, grown } from "../js/convolution.js";

const relu = (x) => ({ ...x, values: x.values.map((value) => Math.max(value, 0)) });
const beside = (x, other) => ({ ...x, values: Float32Array.from([...x.values, ...other.values]) });

/** paint(outline, { height, width }, z) → red, green and blue of each pixel, 0 to 1; `numbers` are the folded layers in order. */
export function painter({ outputs, wide, halvings, planes }, numbers) {
  let start = 0;
  const take = (count) => numbers.subarray(start, (start += count));
  const conv = (inputs, outputs, size) => ({ inputs, outputs, size, weight: take(inputs * outputs * size * size), bias: take(outputs) });
  const at = (stage) => wide * 2 ** stage;
  const stages = Array.from({ length: halvings }, (_, stage) => stage);
  const first = conv(1 + planes, wide, 3);
  const down = stages.map((stage) => conv(at(stage), at(stage + 1), 4));
  const bottom = conv(at(halvings), at(halvings), 3);
  const up = stages.map((stage) => conv(at(stage + 1) * (stage + 1 < halvings ? 2 : 1), at(stage), 4));
  const last = conv(2 * wide, outputs, 3);
  return (outline, { height, width }, z) => {
    const given = Array.from(outline, (ink) => 2 * ink - 1);
    for (const number of z.slice(0, planes)) given.push(...new Array(height * width).fill(number));
    const kept = [relu(convolved(first, { height, width, values: Float32Array.from(given) }, 1))];
    for (const layer of down) kept.push(relu(convolved(layer, kept.at(-1), 1, 2)));
    let x = relu(convolved(bottom, kept.pop(), 1));
    for (const layer of [...up].reverse()) x = beside(relu(grown(layer, x)), kept.pop());
    return convolved(last, x, 1).values.map((value) => 0.5 + 0.5 * Math.tanh(value));
  };
}

/** k = Σ (r − b) / Σ (r + b) of red, green and blue, one after the other. */
export function redness(colours) {
  const size = colours.length / 3;
  const sum = (channel) => colours.subarray(channel * size, (channel + 1) * size).reduce((total, value) => total + value, 0);
  return (sum(0) - sum(2)) / Math.max(sum(0) + sum(2), 1e-6);
}
