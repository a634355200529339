// Sounds as WAV files: mono, 16 bits, read to be drawn and written to be played.

const HEADER = 44; // bytes before the samples
const LOWEST_RATE = 8000; // samples a second that every browser plays
const REACH = 16; // samples on either side of one that is put between

/** The samples of a file, in [−1, 1], and their number a second. */
export function readWav(file) {
  const count = (file.byteLength - HEADER) / 2;
  const samples = Float32Array.from({ length: count }, (_, t) => file.getInt16(HEADER + 2 * t, true) / 32767);
  return { rate: file.getUint32(24, true), samples };
}

/** A file of samples in [−1, 1]; louder ones are clipped. */
export function writeWav(samples, rate) {
  const file = new DataView(new ArrayBuffer(HEADER + 2 * samples.length));
  const words = (at, text) => [...text].forEach((letter, i) => file.setUint8(at + i, letter.charCodeAt(0)));
  words(0, "RIFF");
  words(8, "WAVEfmt ");
  words(36, "data");
  for (const [at, value] of [[4, file.byteLength - 8], [16, 16], [24, rate], [28, 2 * rate], [40, 2 * samples.length]]) {
    file.setUint32(at, value, true);
  }
  for (const [at, value] of [[20, 1], [22, 1], [32, 2], [34, 16]]) file.setUint16(at, value, true);
  samples.forEach((x, t) => file.setInt16(HEADER + 2 * t, Math.round(32767 * Math.min(1, Math.max(-1, x))), true));
  return file;
}

/** Between each sample and the next one more, by a sinc under a Hann window: the same sound at twice the rate. */
export function doubled(samples) {
  const taps = Array.from({ length: REACH }, (_, k) => {
    const away = k + 0.5;
    return (Math.sin(Math.PI * away) / (Math.PI * away)) * Math.cos((Math.PI * away) / (2 * REACH + 1)) ** 2;
  });
  const at = (t) => samples[t] ?? 0;
  const whole = new Float32Array(2 * samples.length);
  samples.forEach((x, t) => {
    whole[2 * t] = x;
    whole[2 * t + 1] = taps.reduce((sum, tap, k) => sum + tap * (at(t - k) + at(t + 1 + k)), 0);
  });
  return whole;
}

/** The file as browsers play it: of too few samples a second, doubled until they are enough. */
export function playable(file) {
  let { rate, samples } = readWav(file);
  if (rate >= LOWEST_RATE) return file;
  for (; rate < LOWEST_RATE; rate *= 2) samples = doubled(samples);
  return writeWav(samples, rate);
}
