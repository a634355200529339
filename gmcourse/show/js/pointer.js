// A place in a drawing, under the mouse, a pen or a finger.

/** Where a pointer event is, in the units of the drawing. */
export function placeUnder(svg, event) {
  const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
  return [at.x, at.y];
}

/** Calls move(event) while `element` is held, and grab(event) when it is taken. */
export function follow(element, move, grab = () => {}) {
  let held = false;
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    held = true;
    element.setPointerCapture(event.pointerId);
    grab(event);
  });
  element.addEventListener("pointermove", (event) => held && move(event));
  for (const end of ["pointerup", "pointercancel"]) element.addEventListener(end, () => (held = false));
}
