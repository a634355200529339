// Random numbers that a seed decides.

/** Uniform draws in [0, 1) from a state of 32 bits (mulberry32): equal seeds, equal draws. */
export function randomness(seed) {
  const source = { state: seed >>> 0 };
  source.uniform = () => {
    source.state = (source.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(source.state ^ (source.state >>> 15), source.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return source;
}

/** Fills `values` with draws from N(0, 1), in pairs (Box and Muller). */
export function fillNormal(values, { uniform }) {
  for (let k = 0; k < values.length; k += 2) {
    const [radius, angle] = [Math.sqrt(-2 * Math.log(1 - uniform())), 2 * Math.PI * uniform()];
    values[k] = radius * Math.cos(angle);
    if (k + 1 < values.length) values[k + 1] = radius * Math.sin(angle);
  }
  return values;
}
