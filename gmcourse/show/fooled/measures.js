// What samples of the plane are measured by, as gmcourse.metrics has it. Points are [x, y].

const SCATTERED = 3; // neighbours of precision and recall
const DENSE = 5; // neighbours of density and coverage

function moments(points) {
  const n = points.length;
  const mean = [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / n);
  const entry = (a, b) => points.reduce((sum, p) => sum + (p[a] - mean[a]) * (p[b] - mean[b]), 0) / (n - 1);
  return { mean, xx: entry(0, 0), xy: entry(0, 1), yy: entry(1, 1) };
}

/** The squared distance of the two fitted Gaussians; tr (ΣΣ′)^½ = √(tr ΣΣ′ + 2 √(det Σ det Σ′)) in the plane. */
export function frechet(points, others) {
  const [a, b] = [moments(points), moments(others)];
  const product = a.xx * b.xx + 2 * a.xy * b.xy + a.yy * b.yy;
  const dets = Math.max(0, a.xx * a.yy - a.xy ** 2) * Math.max(0, b.xx * b.yy - b.xy ** 2);
  const apart = (a.mean[0] - b.mean[0]) ** 2 + (a.mean[1] - b.mean[1]) ** 2;
  return Math.max(0, apart + a.xx + a.yy + b.xx + b.yy - 2 * Math.sqrt(product + 2 * Math.sqrt(dets)));
}

/** Squared distances, one row for each of `points`. */
function table(points, others) {
  return points.map(([x, y]) => Float64Array.from(others, ([u, v]) => (x - u) ** 2 + (y - v) ** 2));
}

/** The squared radius of each point's ball: to its k-th nearest other point. */
function radii(points, k) {
  return table(points, points).map((row) => row.sort()[k]);
}

const share = (flags) => flags.filter(Boolean).length / flags.length;

/** The share of `points` that lie in a ball of the others. */
function among(points, others) {
  const reach = radii(others, SCATTERED);
  return share(table(points, others).map((row) => row.some((far, j) => far <= reach[j])));
}

/** The share of fakes nearer to a training point than to any held-out one; ties count half. */
export function nearerToTrain(fakes, train, held) {
  const least = (row) => row.reduce((a, b) => Math.min(a, b));
  const [near, far] = [train, held].map((set) => table(fakes, set).map(least));
  return near.reduce((sum, d, i) => sum + (d < far[i] ? 1 : d === far[i] ? 0.5 : 0), 0) / fakes.length;
}

/** All measures of the fakes, against held-out points and, for memory, as many training points. */
export function measuresOf(held, train, fakes) {
  const reach = radii(held, DENSE);
  const inside = table(held, fakes).map((row, i) => row.map((far) => (far <= reach[i] ? 1 : 0)));
  const hits = inside.map((row) => row.reduce((a, b) => a + b));
  return {
    frechet: frechet(held, fakes),
    precision: among(fakes, held),
    recall: among(held, fakes),
    density: hits.reduce((a, b) => a + b) / (DENSE * fakes.length),
    coverage: share(hits.map((count) => count > 0)),
    nearer: nearerToTrain(fakes, train, held),
  };
}
