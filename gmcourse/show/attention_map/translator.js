// A translator of numbers, run in the page: an encoder reads the English words, a decoder writes the German ones, greedily.

import { softmax } from "../js/softmax.js";

const END = 0;

/** The float16 numbers in the bytes of a DataView as float32. */
export function halves(view) {
  return Float32Array.from({ length: view.byteLength / 2 }, (_, k) => half(view.getUint16(2 * k, true)));
}

function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction) : 2 ** -14 * fraction);
}

/** The codes of an English number from 1 to 9999: 1 to 19 are words, then twenty, …, ninety, hundred, thousand. */
export function spelled(number) {
  const head = [[Math.floor(number / 1000), 29], [Math.floor(number / 100) % 10, 28]];
  const codes = head.filter(([digit]) => digit).flat();
  const rest = number % 100;
  if (rest >= 20) codes.push(18 + Math.floor(rest / 10));
  return codes.concat(rest >= 20 ? rest % 10 || [] : rest || []);
}

/** The layers out of `numbers`, in the order in which the package writes them. */
export function translator({ levels, places, sourcePlaces, width, heads, layers }, numbers) {
  let start = 0;
  const take = (count) => numbers.subarray(start, (start += count));
  const layer = (inputs, outputs, biased = true) => {
    return { inputs, outputs, weight: take(inputs * outputs), bias: biased ? take(outputs) : new Float32Array(outputs) };
  };
  const norm = () => ({ scale: take(width), shift: take(width) });
  const attend = () => ({ norm: norm(), query: layer(width, width, false), keyValue: layer(width, 2 * width, false), out: layer(width, width) });
  const think = () => ({ norm: norm(), wide: layer(width, 4 * width), narrow: layer(4 * width, width) });
  const stack = (block) => Array.from({ length: layers }, block);
  const table = (rows) => Array.from({ length: rows }, () => take(width));
  const net = { heads, embed: table(levels), places: table(places), sourcePlaces: table(sourcePlaces) };
  net.encoder = stack(() => ({ attend: attend(), think: think() }));
  net.sourceNorm = norm();
  net.decoder = stack(() => ({ attend: attend(), think: think(), cross: attend() }));
  return Object.assign(net, { norm: norm(), head: layer(width, levels) });
}

function applied({ inputs, outputs, weight, bias }, row) {
  const output = Float32Array.from(bias);
  for (let o = 0; o < outputs; o++) for (let i = 0; i < inputs; i++) output[o] += weight[o * inputs + i] * row[i];
  return output;
}

const plus = (a, b) => a.map((value, i) => value + b[i]);

/** Mean 0 and variance 1, then a scale and a shift. */
function normed({ scale, shift }, row) {
  const mean = row.reduce((sum, value) => sum + value, 0) / row.length;
  const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
  return row.map((value, i) => ((value - mean) / Math.sqrt(variance + 1e-5)) * scale[i] + shift[i]);
}

/** To 1.5e-7: Abramowitz and Stegun, 7.1.26. */
function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const sum = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.sign(x) * (1 - sum * Math.exp(-x * x));
}

function thought({ norm, wide, narrow }, row) {
  const inner = applied(wide, normed(norm, row)).map((x) => (x * (1 + erf(x / Math.SQRT2))) / 2);
  return plus(row, applied(narrow, inner));
}

/** Key and value of a place, from its row as it is. */
function read({ keyValue }, row) {
  const both = applied(keyValue, row);
  return { key: both.subarray(0, row.length), value: both.subarray(row.length) };
}

/** What a row finds in what was kept, added to it; and its weights, one row a head. */
function looked({ norm, query, out }, heads, row, kept) {
  const size = row.length / heads;
  const asked = applied(query, normed(norm, row));
  const found = new Float32Array(row.length);
  const weights = Array.from({ length: heads }, (_, h) => {
    const part = Array.from({ length: size }, (_, i) => h * size + i);
    const scores = kept.map(({ key }) => part.reduce((sum, i) => sum + asked[i] * key[i], 0) / Math.sqrt(size));
    const shares = softmax(scores);
    kept.forEach(({ value }, j) => part.forEach((i) => (found[i] += shares[j] * value[i])));
    return shares;
  });
  return { row: plus(row, applied(out, found)), weights };
}

/** What each layer of the decoder looks back at, from the source's codes. */
function memory(net, codes) {
  let rows = codes.map((code, place) => plus(net.embed[code], net.sourcePlaces[place]));
  for (const { attend, think } of net.encoder) {
    const kept = rows.map((row) => read(attend, normed(attend.norm, row)));
    rows = rows.map((row) => thought(think, looked(attend, net.heads, row, kept).row));
  }
  rows = rows.map((row) => normed(net.sourceNorm, row));
  return net.decoder.map(({ cross }) => rows.map((row) => read(cross, row)));
}

/**
 * The likeliest word at each place, up to the end, which is the last code where there is room; ln p of them all, nats;
 * and where the last layer looked as it wrote each: [place][head][word of the source].
 */
export function translate(net, source) {
  const memories = memory(net, source);
  const caches = net.decoder.map(() => []);
  const written = { codes: [], looks: [], logp: 0 };
  for (const place of net.places) {
    let row = plus(net.embed[written.codes.at(-1) ?? END], place);
    let weights;
    net.decoder.forEach(({ attend, think, cross }, index) => {
      caches[index].push(read(attend, normed(attend.norm, row)));
      row = looked(attend, net.heads, row, caches[index]).row;
      ({ row, weights } = looked(cross, net.heads, row, memories[index]));
      row = thought(think, row);
    });
    const p = softmax(applied(net.head, normed(net.norm, row)));
    const code = p.indexOf(Math.max(...p));
    written.codes.push(code);
    written.looks.push(weights);
    written.logp += Math.log(p[code]);
    if (code === END) break;
  }
  return written;
}
