// The spectrum of a sound: how much of it lies at each frequency.

/** The discrete Fourier transform in place, of a power of two of numbers re + i·im (Cooley and Tukey 1965). */
function transform(re, im) {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) [re[i], re[j], im[i], im[j]] = [re[j], re[i], im[j], im[i]];
  }
  for (let size = 2; size <= n; size *= 2) {
    for (let k = 0; k < size / 2; k++) {
      const [c, s] = [Math.cos((2 * Math.PI * k) / size), -Math.sin((2 * Math.PI * k) / size)];
      for (let a = k; a < n; a += size) {
        const b = a + size / 2;
        const [x, y] = [c * re[b] - s * im[b], c * im[b] + s * re[b]];
        [re[b], im[b], re[a], im[a]] = [re[a] - x, im[a] - y, re[a] + x, im[a] + y];
      }
    }
  }
}

/** Decibels under the strongest at the frequencies 0, …, rate/2, each `step` Hz: under a Hann window, zeros behind. */
export function spectrumOf(samples, rate, least = 4096) {
  let n = least;
  while (n < samples.length) n *= 2;
  const [re, im] = [new Float64Array(n), new Float64Array(n)];
  samples.forEach((x, t) => {
    re[t] = x * Math.sin((Math.PI * (t + 0.5)) / samples.length) ** 2;
  });
  transform(re, im);
  const power = Array.from({ length: n / 2 + 1 }, (_, k) => re[k] ** 2 + im[k] ** 2);
  const most = power.reduce((a, b) => Math.max(a, b), 1e-12);
  return { step: rate / n, decibels: power.map((p) => 10 * Math.log10(Math.max(p / most, 1e-12))) };
}

/** The frequency of the strongest partial. */
export function strongest({ step, decibels }) {
  return step * decibels.indexOf(0);
}
