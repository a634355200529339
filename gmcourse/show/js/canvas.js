// A square canvas in the page: its colours, its size.

const LIGHT = { data: [43, 108, 176], samples: [47, 133, 90], model: [221, 107, 32], rim: [255, 255, 255] };
const DARK = { data: [99, 179, 237], samples: [104, 211, 145], model: [246, 173, 85], rim: [26, 32, 44] };

/** A colour as the canvas reads it. */
export function ink([red, green, blue], alpha = 1) {
  return `rgba(${red},${green},${blue},${alpha})`;
}

/** The course's colours, lighter where the page's own text is light; an element out of the page has no colour. */
export function coloursFor(element) {
  const [red, green, blue] = (getComputedStyle(element).color.match(/[\d.]+/g) ?? [0, 0, 0]).map(Number);
  return red + green + blue > 382 ? DARK : LIGHT;
}

/** Fits the canvas to its place in the page, at most twice as fine as it. */
export function fit(canvas) {
  const fine = Math.min(2, window.devicePixelRatio || 1);
  const side = Math.round(canvas.clientWidth * fine);
  if (side && canvas.width !== side) canvas.width = canvas.height = side;
}

/** A mark of radius r, drawn once: pictures of marks are quicker to set down than paths. */
export function sprite(shape, r, colour, rim, unit) {
  const mark = document.createElement("canvas");
  mark.width = mark.height = 2 * Math.ceil(r + 2 * unit);
  const context = mark.getContext("2d");
  context.translate(mark.width / 2, mark.width / 2);
  if (shape === "circle") context.arc(0, 0, r, 0, 2 * Math.PI);
  else for (const [x, y] of [[-r, 0], [0, -r], [r, 0], [0, r]]) context.lineTo(x, y);
  context.closePath();
  context.fillStyle = ink(colour);
  context.strokeStyle = ink(rim, 0.9);
  context.lineWidth = 0.9 * unit;
  context.fill();
  context.stroke();
  return mark;
}

/** Sets the mark down at points (n × 2), or at every `stride`-th, where place(x, y) says. */
export function stamp(context, place, points, mark, stride = 1) {
  const half = mark.width / 2;
  for (let k = 0; k < points.length; k += 2 * stride) {
    const [x, y] = place(points[k], points[k + 1]);
    if (x > -half && y > -half) context.drawImage(mark, x - half, y - half);
  }
}
