// A square plane in SVG: axes, rings and points, in the colour of the page's text.

const SIDE = 400;
const MARGIN = { left: 30, top: 8, right: 8, bottom: 22 };

/** A new SVG element with its attributes, inside `parent` where one is given. */
export function draw(name, attributes, parent) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent?.append(element);
  return element;
}

/** Plane coordinates in [−extent, extent]² ↔ the units of the drawing. */
export function scale(extent) {
  const unit = SIDE / (2 * extent);
  return {
    unit,
    place: ([x, y]) => [(x + extent) * unit, (extent - y) * unit],
    /** The plane coordinates under a pointer event. */
    read: (svg, event) => {
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      return [at.x / unit - extent, extent - at.y / unit];
    },
  };
}

/** A number with a true minus sign. */
export function signed(value, digits = 0) {
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}

/** An empty plane with a frame, ticks at whole numbers and axis names. */
export function plane(extent, names) {
  const width = SIDE + MARGIN.left + MARGIN.right;
  const height = SIDE + MARGIN.top + MARGIN.bottom;
  const svg = draw("svg", { viewBox: `${-MARGIN.left} ${-MARGIN.top} ${width} ${height}`, class: "gm-plane" });
  draw("rect", { width: SIDE, height: SIDE, rx: 6, class: "gm-frame" }, svg);
  const { place } = scale(extent);
  const every = extent > 6 ? Math.ceil(extent / 5) : 1;
  for (let tick = -Math.floor(extent / every) * every; tick <= extent; tick += every) {
    const [x, y] = place([tick, tick]);
    const quiet = tick === 0 ? "gm-axis" : "gm-gridline";
    draw("line", { x1: x, x2: x, y1: 0, y2: SIDE, class: quiet }, svg);
    draw("line", { y1: y, y2: y, x1: 0, x2: SIDE, class: quiet }, svg);
    label(svg, signed(tick), x, SIDE + 16, "middle");
    label(svg, signed(tick), -7, y + 4, "end");
  }
  label(svg, names[0], SIDE - 8, SIDE - 9, "end");
  label(svg, names[1], 9, 18, "start");
  return svg;
}

/** Dashed circles at 1, 2, … standard deviations of a standard normal. */
export function rings(svg, extent) {
  const { unit, place } = scale(extent);
  const [cx, cy] = place([0, 0]);
  for (let radius = 1; radius <= Math.min(3, extent); radius++) {
    draw("circle", { cx, cy, r: radius * unit, class: "gm-ring" }, svg);
    label(svg, `${radius}σ`, cx + 0.707 * radius * unit + 3, cy - 0.707 * radius * unit - 3, "start", "gm-quiet");
  }
}

/** One dot a point, coloured by its class; `classes[i]` is the class of point i. */
export function dots(svg, extent, points, classes, colours) {
  const group = draw("g", {}, svg);
  const { place } = scale(extent);
  points.forEach((point, index) => {
    const [cx, cy] = place(point);
    const fill = colours[classes[index] % colours.length];
    draw("circle", { cx, cy, r: 3.6, fill, class: "gm-dot", "data-class": classes[index] }, group);
  });
  return group;
}

function label(svg, text, x, y, anchor, kind = "gm-label") {
  draw("text", { x, y, "text-anchor": anchor, class: kind }, svg).textContent = text;
}
