// Frames and their slider: pictures drawn ahead, of which one is seen.

import { button, explorer, make, range } from "../js/elements.js";

/** The row over the picture: Play where it has a pace, the label, two buttons and the slider between them, the value. */
function controls(root, label, values, pace, act) {
  const row = make("div", "gm-row", root);
  const play = pace > 0 ? button(make("span", "gm-pills", row), "", act.play, "gm-play") : null;
  make("span", "gm-label", row, label).ariaHidden = "true";
  const parts = make("span", "gm-parts", row);
  const back = button(parts, "", () => act.step(-1), "gm-step gm-back", "Previous frame");
  const slider = range(parts, label, values.length - 1, act.go);
  const on = button(parts, "", () => act.step(1), "gm-step gm-on", "Next frame");
  const value = make("span", "gm-value", row);
  value.ariaHidden = "true"; // the slider says it
  value.style.minWidth = `${Math.max(...values.map((text) => text.length))}ch`;
  return { slider, value, back, on, play };
}

/** Calls advance() `pace` times a second for as long as it answers that there is more; tell(whether it runs). */
function clockwork(pace, advance, tell) {
  let timer = 0;
  const stop = () => {
    clearInterval(timer);
    tell((timer = 0));
  };
  const start = () => tell((timer = setInterval(() => advance() || stop(), 1000 / pace)));
  return { stop, toggle: () => (timer ? stop() : start()) };
}

function render({ model, el }) {
  const [label, values, alt] = ["label", "values", "alt"].map((name) => model.get(name));
  const pictures = model.get("pictures").map((png) => URL.createObjectURL(new Blob([png], { type: "image/png" })));
  const go = (index) => {
    model.set("index", Math.min(values.length - 1, Math.max(0, index)));
    model.save_changes();
  };
  const last = values.length - 1;
  const advance = () => {
    go(model.get("index") + 1);
    return model.get("index") < last;
  };
  const film = clockwork(model.get("pace") || 1, advance, (running) => {
    if (play) play.textContent = running ? "❚❚ Pause" : "▶ Play";
  });
  const byHand = (index) => {
    film.stop();
    go(index);
  };
  const root = explorer(el, "gm-frames", `Explorer: ${label}`);
  const { slider, value, back, on, play } = controls(root, label, values, model.get("pace"), {
    go: byHand,
    step: (by) => byHand(model.get("index") + by),
    play: () => {
      if (model.get("index") === last) go(0);
      film.toggle();
    },
  });
  film.stop();
  const image = make("img", model.get("drawn") ? "gm-drawn" : "", root);
  [image.width, image.height] = model.get("size");
  function show() {
    const index = model.get("index");
    slider.value = index;
    slider.setAttribute("aria-valuetext", `${label} ${values[index]}`);
    value.textContent = values[index];
    image.src = pictures[index];
    image.alt = `${alt.replace(/\.$/, "")}; ${label}: ${values[index]}.`;
    back.setAttribute("aria-disabled", String(index === 0));
    on.setAttribute("aria-disabled", String(index === values.length - 1));
  }
  model.on("change:index", show);
  show();
  return () => {
    film.stop();
    model.off("change:index", show);
    pictures.forEach((picture) => URL.revokeObjectURL(picture));
  };
}

export default { render };
