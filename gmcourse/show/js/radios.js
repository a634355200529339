// One choice of several, by radio buttons.

import { make } from "./elements.js";
import { listenToKeys } from "./keys.js";

/** Radio buttons { key, words } under their question; act(key) when one is chosen. */
export function ask(parent, question, options, act) {
  const box = make("fieldset", "gm-questions", parent);
  make("legend", "", box, question);
  const group = `gm-question-${Math.random()}`; // a page may hold several explorers
  return options.map(({ key, words }) => {
    const label = make("label", "gm-question", box);
    const radio = make("input", "", label);
    Object.assign(radio, { type: "radio", name: group, value: key });
    radio.addEventListener("change", () => act(key));
    listenToKeys(radio, () => false);
    make("span", "", label, words);
    return radio;
  });
}
