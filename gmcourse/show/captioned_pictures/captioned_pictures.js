// Captioned pictures: a caption is typed, or its words are picked, and the pictures that were drawn for it are shown.

import { combined, separated, understood } from "./understood.js";
import { explorer, make } from "../js/elements.js";
import { listenToKeys } from "../js/keys.js";

const SHOWN = 96; // pixels on the page, of a picture's side
const HINT = "Type a caption and press Enter, or pick its words. The pictures were drawn ahead of time: no model runs in this page.";

function newField(root) {
  const label = make("label", "gm-label", root, "Caption ");
  const field = make("input", "gm-field", label);
  Object.assign(field, { type: "text", spellcheck: false, autocomplete: "off" });
  listenToKeys(field, () => false);
  return field;
}

function newSelects(root, groups, act) {
  const row = make("div", "gm-row", root);
  return groups.map((group, k) => {
    const select = make("select", "", row);
    select.setAttribute("aria-label", `Words ${k + 1} of ${groups.length}`);
    group.forEach((words, value) => Object.assign(make("option", "", select, words), { value }));
    select.addEventListener("change", () => act(k, Number(select.value)));
    listenToKeys(select, () => false);
    return select;
  });
}

function newPictures(root, [columns, rows, width, height], url) {
  const strip = make("div", "gm-strip", root);
  strip.setAttribute("role", "img");
  const tiles = Array.from({ length: columns }, () => {
    const tile = make("div", "gm-tile", strip);
    const tall = (SHOWN * height) / width;
    Object.assign(tile.style, { width: `${SHOWN}px`, height: `${tall}px`, backgroundImage: `url(${url})` });
    tile.style.backgroundSize = `${SHOWN * columns}px ${tall * rows}px`;
    return { tile, tall };
  });
  return { strip, tiles };
}

function render({ model, el }) {
  const [groups, captions, marked, mark] = ["groups", "captions", "marked", "mark"].map((name) => model.get(name));
  const url = URL.createObjectURL(new Blob([model.get("sheet")], { type: "image/png" }));
  const go = (index) => {
    model.set("index", index);
    model.save_changes();
  };
  const root = explorer(el, "gm-captioned", "Pictures for a caption of your choice");
  const field = newField(root);
  const selects = newSelects(root, groups, (k, choice) => {
    const choices = separated(model.get("index"), groups);
    choices[k] = choice;
    go(combined(choices, groups));
  });
  const { strip, tiles } = newPictures(root, model.get("size"), url);
  const told = make("p", "gm-told", root);
  told.setAttribute("role", "status");
  make("p", "gm-hint", root, HINT);
  field.addEventListener("change", () => {
    const choices = understood(field.value, groups);
    const missing = choices.findIndex((choice) => choice < 0);
    if (missing < 0) go(combined(choices, groups));
    told.textContent = missing < 0 ? told.textContent : `No such words; one of these is missing: ${groups[missing].join(", ")}.`;
  });
  function show() {
    const index = model.get("index");
    separated(index, groups).forEach((choice, k) => (selects[k].value = choice));
    field.value = captions[index];
    tiles.forEach(({ tile, tall }, k) => (tile.style.backgroundPosition = `${-k * SHOWN}px ${-index * tall}px`));
    told.textContent = marked[index] ? `${captions[index]}: ${mark}` : captions[index];
    strip.setAttribute("aria-label", `${tiles.length} pictures drawn for “${captions[index]}”`);
    root.dataset.index = index;
  }
  model.on("change:index", show);
  show();
  return () => {
    model.off("change:index", show);
    URL.revokeObjectURL(url);
  };
}

export default { render };
