// A point in the plane, moved from the keyboard.

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** Where a key takes the point [x, y]: arrows step (Shift: five steps), Home is the centre; null for other keys. */
export function moved([x, y], key, shift, step) {
  if (key === "Home") return [0, 0];
  if (!(key in ARROWS)) return null;
  const size = shift ? 5 * step : step;
  return [x + size * ARROWS[key][0], y + size * ARROWS[key][1]];
}

/** Calls move(key, shift) → whether it was of use; keeps every key but Tab from JupyterLab's own shortcuts. */
export function listenToKeys(element, move) {
  element.dataset.lmSuppressShortcuts = "true";
  element.addEventListener("keydown", (event) => {
    if (event.key === "Tab" || event.ctrlKey || event.metaKey || event.altKey) return;
    event.stopPropagation();
    if (move(event.key, event.shiftKey)) event.preventDefault();
  });
}
