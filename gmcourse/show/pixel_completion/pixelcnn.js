// A PixelCNN of one channel and two levels, run in the page one pixel after another: no feature is computed twice.

/** The layers out of `numbers`, in the order in which they are used: weights (outputs × inputs × rows × columns), biases. */
export function pixelCNN({ height, width, channels, first, kernel, blocks }, numbers) {
  let start = 0;
  const take = (count) => numbers.subarray(start, (start += count));
  const layer = (inputs, outputs, size) => {
    return { inputs, outputs, size, weight: take(outputs * inputs * size * size), bias: take(outputs) };
  };
  const half = channels >> 1;
  const head = layer(1, channels, first);
  const positions = take(channels * height * width);
  const block = () => [layer(channels, half, 1), layer(half, half, kernel), layer(half, channels, 1)];
  const body = Array.from({ length: blocks }, block);
  return { height, width, head, positions, body, tail: [layer(channels, channels, 1), layer(channels, 2, 1)] };
}

/** Nothing is drawn yet: of each layer with a kernel, what it was given at the pixels so far. */
function nothing({ height, width, head, body }) {
  const past = (layer) => new Float32Array(layer.inputs * height * width);
  return { image: past(head), pasts: body.map(([, look]) => past(look)) };
}

function copied({ image, pasts }) {
  return { image: image.slice(), pasts: pasts.map((past) => past.slice()) };
}

/** The outputs of a layer at pixel (r, c), from what it was given, (inputs × height × width), there and before. */
function convolve(layer, given, r, c, height, width) {
  const { inputs, outputs, size, weight, bias } = layer;
  const reach = size >> 1;
  const output = Float32Array.from(bias);
  for (let dr = -reach; dr <= 0; dr++) {
    for (let dc = -reach; dc <= (dr ? reach : 0); dc++) {
      if (r + dr < 0 || c + dc < 0 || c + dc >= width) continue;
      const tap = (dr + reach) * size + dc + reach;
      for (let i = 0; i < inputs; i++) {
        const value = given[(i * height + r + dr) * width + c + dc];
        if (value) for (let o = 0; o < outputs; o++) output[o] += weight[(o * inputs + i) * size * size + tap] * value;
      }
    }
  }
  return output;
}

function mixed({ inputs, outputs, weight, bias }, column) {
  const output = Float32Array.from(bias);
  for (let o = 0; o < outputs; o++) for (let i = 0; i < inputs; i++) output[o] += weight[o * inputs + i] * column[i];
  return output;
}

const relu = (column) => column.map((value) => Math.max(value, 0));

/** The probability of ink at pixel (r, c), given the pixels before it. */
function ink(net, { image, pasts }, r, c) {
  const { height, width } = net;
  let h = convolve(net.head, image, r, c, height, width);
  h = h.map((value, i) => value + net.positions[(i * height + r) * width + c]);
  net.body.forEach(([narrow, look, expand], index) => {
    const inner = relu(mixed(narrow, relu(h)));
    inner.forEach((value, i) => (pasts[index][(i * height + r) * width + c] = value));
    const more = mixed(expand, relu(convolve(look, pasts[index], r, c, height, width)));
    h = h.map((value, i) => value + more[i]);
  });
  const [paper, drawn] = mixed(net.tail[1], relu(mixed(net.tail[0], relu(h))));
  return 1 / (1 + Math.exp(paper - drawn));
}

/** Pixels from `start` to `end` in raster order, each as value(place, probability of ink) says; Σ ln p of what is said. */
function run(net, state, start, end, value) {
  let total = 0;
  for (let place = start; place < end; place++) {
    const p = ink(net, state, Math.floor(place / net.width), place % net.width);
    state.image[place] = value(place, p);
    total += Math.log(state.image[place] ? p : 1 - p);
  }
  return total;
}

/**
 * The first `rows` of `image` as they are, the others drawn: one way for each row of `uniforms`, a number in [0, 1) for
 * each pixel. Gives ln p(given), and of each way the image and ln p(drawn | given), nats.
 */
export function complete(net, image, rows, uniforms) {
  const known = rows * net.width;
  const state = nothing(net);
  const given = run(net, state, 0, known, (place) => image[place]);
  const ways = uniforms.map((u) => {
    const own = copied(state);
    const drawn = run(net, own, known, net.height * net.width, (place, p) => (u[place] >= 1 - p ? 1 : 0));
    return { image: Array.from(own.image), drawn };
  });
  return { given, ways };
}
