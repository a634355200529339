// Convolutions of a picture (channels × height × width) of numbers, in the page.

/** Where a row of the kernel, shifted by `shift`, meets a row of `size` places at the given stride: first and last output. */
function reach(shift, size, stride, outputs) {
  return [Math.max(0, Math.ceil(-shift / stride)), Math.min(outputs - 1, Math.floor((size - 1 - shift) / stride))];
}

/** A convolution of { height, width, values }: weight (outputs × inputs × size × size); `pad` zeros around the picture. */
export function convolved({ inputs, outputs, size, weight, bias }, { height, width, values }, pad, stride = 1) {
  const [rows, columns] = [height, width].map((side) => Math.floor((side + 2 * pad - size) / stride) + 1);
  const result = new Float32Array(outputs * rows * columns);
  for (let o = 0; o < outputs; o++) result.fill(bias[o], o * rows * columns, (o + 1) * rows * columns);
  for (let tap = 0; tap < size * size; tap++) {
    const [down, right] = [Math.floor(tap / size) - pad, (tap % size) - pad];
    const [top, bottom] = reach(down, height, stride, rows);
    const [left, end] = reach(right, width, stride, columns);
    for (let o = 0; o < outputs; o++) {
      for (let i = 0; i < inputs; i++) {
        const factor = weight[(o * inputs + i) * size * size + tap];
        for (let row = top; row <= bottom; row++) {
          const [to, from] = [(o * rows + row) * columns, (i * height + row * stride + down) * width + right];
          for (let column = left; column <= end; column++) result[to + column] += factor * values[from + column * stride];
        }
      }
    }
  }
  return { height: rows, width: columns, values: result };
}

/** torch's ConvTranspose2d(inputs, outputs, 4, 2, 1): weight (inputs × outputs × 4 × 4), twice as high and as wide. */
export function grown({ inputs, outputs, size, weight, bias }, { height, width, values }) {
  const [rows, columns] = [2 * height, 2 * width];
  const result = new Float32Array(outputs * rows * columns);
  for (let o = 0; o < outputs; o++) result.fill(bias[o], o * rows * columns, (o + 1) * rows * columns);
  for (let i = 0; i < inputs; i++) {
    for (let place = 0; place < height * width; place++) {
      const value = values[i * height * width + place];
      const [top, left] = [2 * Math.floor(place / width) - 1, 2 * (place % width) - 1];
      for (let tap = 0; tap < size * size; tap++) {
        const [row, column] = [top + Math.floor(tap / size), left + (tap % size)];
        if (row < 0 || row >= rows || column < 0 || column >= columns) continue;
        for (let o = 0; o < outputs; o++) {
          result[(o * rows + row) * columns + column] += weight[(i * outputs + o) * size * size + tap] * value;
        }
      }
    }
  }
  return { height: rows, width: columns, values: result };
}
