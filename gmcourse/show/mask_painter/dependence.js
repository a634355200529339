// Who sees whom through masks: open connections are followed, exactly; what they weigh does not matter.

/** The masks of a MADE with one hidden layer, [to][from]. Places count from 0, degrees from 1; `strict`: > in the last. */
export function madeMasks(places, degrees, strict) {
  const first = degrees.map((degree) => places.map((place) => degree >= place + 1));
  const last = places.map((place) => degrees.map((degree) => (strict ? place + 1 > degree : place + 1 >= degree)));
  return { first, last };
}

/** paths[i][j]: how many open paths lead from input j to output i. */
export function openPaths({ first, last }) {
  return last.map((into) => first[0].map((_, j) => into.filter((open, unit) => open && first[unit][j]).length));
}

/** Which taps of a square kernel a mask leaves open, row by row: those before the middle, and the middle in kind "B". */
export function pixelMask(size, kind) {
  const middle = (size * size - 1) / 2;
  return Array.from({ length: size * size }, (_, tap) => tap < middle || (kind === "B" && tap === middle));
}

/** The pixels that a layer with these taps reads to compute its `wanted` pixels; true or false for each, row by row. */
export function reads(wanted, taps, side) {
  const size = Math.sqrt(taps.length);
  const reach = size >> 1;
  const steps = taps.flatMap((open, tap) => (open ? [[Math.floor(tap / size) - reach, (tap % size) - reach]] : []));
  const found = wanted.map(() => false);
  wanted.forEach((is, pixel) => {
    if (!is) return;
    for (const [down, right] of steps) {
      const [r, c] = [Math.floor(pixel / side) + down, (pixel % side) + right];
      if (r >= 0 && r < side && c >= 0 && c < side) found[r * side + c] = true;
    }
  });
  return found;
}

const alone = (pixel, side) => Array.from({ length: side * side }, (_, other) => other === pixel);

/** The pixels that `pixel` depends on through so many layers: the taps `first`, then `later` in all others. */
export function seenBy(pixel, { first, later, layers }, side) {
  let wanted = alone(pixel, side);
  for (let layer = layers; layer > 1; layer--) wanted = reads(wanted, later, side);
  return reads(wanted, first, side);
}

/** The pixels that `pixel` depends on at some number of layers. */
export function everSeenBy(pixel, { first, later }, side) {
  let wanted = alone(pixel, side);
  for (;;) {
    const more = reads(wanted, later, side).map((is, other) => is || wanted[other]);
    if (more.every((is, other) => is === wanted[other])) return reads(wanted, first, side);
    wanted = more;
  }
}

/** What each pixel is to `own`: before it "seen" or "missed"; itself and after it "leak" where it is seen, or "later". */
export function judged(sees, places, own) {
  return sees.map((seen, j) => (places[j] < places[own] ? (seen ? "seen" : "missed") : seen ? "leak" : "later"));
}

export function countOf(kinds, kind) {
  return kinds.filter((each) => each === kind).length;
}
