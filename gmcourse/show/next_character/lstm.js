// An LSTM over symbols, run in the page one symbol after another, with weights of eight bits.

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

/**
 * The net out of its bytes: the scales of all rows, then the biases of the gates and of the head, float32; then the
 * weights, int8, row by row, each to be multiplied by the scale of its row.
 */
export function languageModel({ symbols, embedding, hidden }, view) {
  const bytes = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
  let start = 0;
  const floats = (count) => new Float32Array(bytes, (start += 4 * count) - 4 * count, count);
  const tables = [[symbols + 1, embedding], [4 * hidden, embedding], [4 * hidden, hidden], [symbols, hidden]];
  const scales = tables.map(([rows]) => floats(rows));
  const biases = [4 * hidden, symbols].map(floats);
  const [embed, input, recurrent, head] = tables.map(([rows, columns], k) => {
    const values = new Int8Array(bytes, (start += rows * columns) - rows * columns, rows * columns);
    return { rows, columns, scale: scales[k], values };
  });
  return { symbols, hidden, embed, input, recurrent, head, gates: biases[0], ends: biases[1] };
}

/** Adds matrix · vector to `output`. */
function addProduct({ rows, columns, scale, values }, vector, output) {
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let column = 0, at = row * columns; column < columns; column++, at++) sum += values[at] * vector[column];
    output[row] += scale[row] * sum;
  }
  return output;
}

const rowOf = ({ columns, scale, values }, row) =>
  Float64Array.from(values.subarray(row * columns, (row + 1) * columns), (value) => scale[row] * value);

/** The state {h, c} after one more symbol; the symbol after the last of the alphabet is the start. */
function step(net, symbol, { h, c }) {
  const size = net.hidden;
  const sums = Float64Array.from(net.gates);
  addProduct(net.input, rowOf(net.embed, symbol), sums);
  addProduct(net.recurrent, h, sums);
  const cell = c.map((old, k) => sigmoid(sums[size + k]) * old + sigmoid(sums[k]) * Math.tanh(sums[2 * size + k]));
  return { h: cell.map((value, k) => sigmoid(sums[3 * size + k]) * Math.tanh(value)), c: cell };
}

/** logits(codes) of what follows them; of a text that goes on from the last one asked, only what is new is read. */
export function reader(net) {
  const nothing = { h: new Float64Array(net.hidden), c: new Float64Array(net.hidden) };
  const states = [step(net, net.symbols, nothing)];
  let known = [];
  return (codes) => {
    let same = 0;
    while (same < known.length && same < codes.length && known[same] === codes[same]) same++;
    states.length = same + 1;
    for (const code of codes.slice(same)) states.push(step(net, code, states.at(-1)));
    known = codes.slice();
    return addProduct(net.head, states.at(-1).h, Float64Array.from(net.ends));
  };
}
