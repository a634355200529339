// The forward pass of a small network, in the page.

/** The activations by name; that of a leaky ReLU has the slope 0.2 below 0. */
export const ACTIVATIONS = {
  relu: (x) => Math.max(x, 0),
  leaky_relu: (x) => (x > 0 ? x : 0.2 * x),
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  silu: (x) => x / (1 + Math.exp(-x)),
  clamp: (x) => Math.min(1, Math.max(0, x)),
};

/** The float32 numbers in the bytes of a DataView, wherever they start. */
export function floats(view) {
  return new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

/**
 * input (n numbers) → output: `layers` holds [inputs, outputs] for a linear layer, whose weight (outputs × inputs)
 * and bias (outputs) are the next numbers of `weights`, or the name of an activation.
 */
export function forward(layers, weights, input) {
  let hidden = Float32Array.from(input);
  let start = 0;
  for (const layer of layers) {
    if (typeof layer === "string") {
      hidden = hidden.map(ACTIVATIONS[layer]);
    } else {
      const [inputs, outputs] = layer;
      hidden = linear(weights.subarray(start, start + (inputs + 1) * outputs), hidden, outputs);
      start += (inputs + 1) * outputs;
    }
  }
  return hidden;
}

function linear(weights, input, outputs) {
  const output = new Float32Array(outputs);
  const bias = weights.subarray(input.length * outputs);
  for (let row = 0; row < outputs; row++) {
    let sum = bias[row];
    for (let column = 0; column < input.length; column++) sum += weights[row * input.length + column] * input[column];
    output[row] = sum;
  }
  return output;
}
