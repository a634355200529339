// A small U-Net and the denoiser around it, run in the page on pictures (channels × height × width) of numbers.

import { convolved, grown } from "../js/convolution.js";
import { forward } from "../js/mlp.js";

const [WAVES, TOLD, EPSILON] = [32, 64, 1e-5];
const TELL = [[WAVES, TOLD], "silu", [TOLD, TOLD]];

/** The layers out of `numbers`, which lie in the order in which torch registers them; `widths` are those of gmcourse's UNet. */
export function unet(widths, numbers) {
  let start = 0;
  const take = (count) => numbers.subarray(start, (start += count));
  const conv = (inputs, outputs, size) => ({ inputs, outputs, size, weight: take(inputs * outputs * size * size), bias: take(outputs) });
  const norm = (width) => ({ scale: take(width), shift: take(width) });
  const block = (inputs, width) => ({
    ...{ width, norms: [norm(inputs)], convs: [conv(inputs, width, 3)] },
    ...{ second: { norm: norm(width), conv: conv(width, width, 3) } },
    ...{ told: take((TOLD + 1) * width), past: inputs === width ? null : conv(inputs, width, 1) },
  });
  const pairs = widths.slice(1).map((wider, k) => [widths[k], wider]);
  const last = widths.at(-1);
  const net = { tell: take((WAVES + 1) * TOLD + (TOLD + 1) * TOLD), first: conv(1, widths[0], 3) };
  net.down = pairs.map(([wide]) => block(wide, wide));
  net.shrink = pairs.map(([wide, wider]) => conv(wide, wider, 4));
  net.bottom = [block(last, last), block(last, last)];
  net.grow = pairs.map(([wide, wider]) => conv(wider, wide, 4));
  net.up = pairs.map(([wide]) => block(2 * wide, wide));
  net.last = { norm: norm(widths[0]), conv: conv(widths[0], 1, 3) };
  return net;
}

/** SiLU of a group norm, in groups of four channels. */
function normedSilu({ scale, shift }, { height, width, values }) {
  const area = height * width;
  const together = scale.length % 4 ? scale.length : 4;
  const result = new Float32Array(values.length);
  for (let begun = 0; begun < scale.length; begun += together) {
    const part = values.subarray(begun * area, (begun + together) * area);
    const mean = part.reduce((sum, value) => sum + value, 0) / part.length;
    const spread = Math.sqrt(part.reduce((sum, value) => sum + (value - mean) ** 2, 0) / part.length + EPSILON);
    part.forEach((value, k) => {
      const channel = begun + Math.floor(k / area);
      const y = ((value - mean) / spread) * scale[channel] + shift[channel];
      result[begun * area + k] = y / (1 + Math.exp(-y));
    });
  }
  return { height, width, values: result };
}

/** A residual block, which is told the level's 64 numbers. */
function passed({ width, norms, convs, second, told, past }, x, level) {
  const hidden = convolved(convs[0], normedSilu(norms[0], x), 1);
  const area = hidden.height * hidden.width;
  const more = forward([[TOLD, width]], told, level);
  hidden.values.forEach((value, k) => (hidden.values[k] = value + more[Math.floor(k / area)]));
  const result = convolved(second.conv, normedSilu(second.norm, hidden), 1);
  const kept = past ? convolved(past, x, 0) : x;
  result.values.forEach((value, k) => (result.values[k] = value + kept.values[k]));
  return result;
}

/** Sines and cosines of the level, with frequencies from 1 to 1000. */
function waves(level) {
  const angles = Array.from({ length: WAVES / 2 }, (_, k) => level * 1000 ** (k / (WAVES / 2 - 1)));
  return [...angles.map(Math.sin), ...angles.map(Math.cos)];
}

/** f(picture, level), one number for each pixel. */
export function runUnet(net, values, height, width, level) {
  const told = forward(TELL, net.tell, waves(level));
  const kept = [];
  let x = convolved(net.first, { height, width, values }, 1);
  net.down.forEach((block, k) => {
    kept.push(passed(block, x, told));
    x = convolved(net.shrink[k], kept[k], 1, 2);
  });
  for (const block of net.bottom) x = passed(block, x, told);
  for (let k = net.up.length - 1; k >= 0; k--) {
    const larger = grown(net.grow[k], x);
    x = passed(net.up[k], { ...larger, values: Float32Array.from([...larger.values, ...kept[k].values]) }, told);
  }
  return convolved(net.last.conv, normedSilu(net.last.norm, x), 1).values;
}

/** x* of x + σε: gmcourse's Denoiser around the net, cut to `bounds` where there are any. */
export function denoiser({ net, height, width, spread, centre, bounds }) {
  return (noised, sigma) => {
    const whole = 1 / Math.hypot(spread, sigma);
    const given = noised.map((value) => whole * (value - centre));
    const answer = runUnet(net, given, height, width, Math.log(sigma) / 4);
    const [skip, out] = [(spread * whole) ** 2, spread * sigma * whole];
    const clean = noised.map((value, k) => centre + skip * (value - centre) + out * answer[k]);
    return bounds.length ? clean.map((value) => Math.min(bounds[1], Math.max(bounds[0], value))) : clean;
  };
}
