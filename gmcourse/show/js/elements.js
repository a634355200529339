// Elements of the page, made in one line.

import { listenToKeys } from "./keys.js";

/** A new element of the page with its class and text, inside `parent`. */
export function make(name, className, parent, text = "") {
  const element = document.createElement(name);
  Object.assign(element, { className, textContent: text });
  parent.append(element);
  return element;
}

/** The outermost element of an explorer: a group with its name in words. */
export function explorer(el, className, name) {
  el.classList.add("gm-explorer");
  const root = make("div", className, el);
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", name);
  return root;
}

/** A button that acts, and keeps its keys from JupyterLab. */
export function button(parent, text, act, className = "", label = "") {
  const element = make("button", className, parent, text);
  element.type = "button";
  if (label) element.setAttribute("aria-label", label);
  element.addEventListener("click", act);
  listenToKeys(element, () => false);
  return element;
}

/** A slider over the whole numbers from 0 to `last`, under its name; act(number) while it is moved. */
export function range(parent, name, last, act) {
  const slider = make("input", "gm-range", parent);
  Object.assign(slider, { type: "range", min: 0, max: last, step: 1, value: 0 });
  slider.setAttribute("aria-label", name);
  slider.addEventListener("input", () => act(Number(slider.value)));
  listenToKeys(slider, () => false);
  return slider;
}
