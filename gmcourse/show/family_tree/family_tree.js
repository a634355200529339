// The family tree: choose a question and the models that can answer it light up; choose a model and see all its answers.

import { button, explorer, make } from "../js/elements.js";
import { listenToKeys } from "../js/keys.js";
import { ask } from "../js/radios.js";
import { links, sentence, stepped, tally, told, verdicts } from "./tree.js";

const HINT =
  "Choose what a model should give. ✓ marks those that can; beside them stands how often one answer calls the network " +
  "(D: once for each coordinate; a formula: never). Choose a model for all that it can be asked; the arrow keys lead from " +
  "one to the next.";

/** One branch with all below it; `view.branches` keeps its element, `view.chips` the buttons of its models. */
function grow(parent, branch, view, choose) {
  const item = make("li", "gm-branch", parent);
  const head = make("div", "gm-head", item);
  make("span", "gm-name", head, branch.name);
  make("span", "gm-evaluates", head, branch.evaluates);
  const count = make("span", "gm-count", head);
  view.branches.push({ item, count, branches: branch.branches ?? [branch] });
  if (branch.branches) {
    const list = make("ul", "gm-branches", item);
    for (const child of branch.branches) grow(list, child, view, choose);
    return;
  }
  hangModels(item, branch.models, view, choose);
}

function hangModels(item, models, view, choose) {
  const list = make("ul", "gm-models", item);
  for (const model of models) {
    const chip = button(make("li", "", list), "", () => choose(model.key), "gm-model");
    make("span", "gm-mark", chip).setAttribute("aria-hidden", "true");
    make("span", "gm-model-name", chip, model.name).after(" ");
    view.chips.push({ chip, model, cost: make("span", "gm-cost", chip), list });
  }
}

/** Which pages there are to link to: those of the book, of JupyterLab, or none. */
function surroundings() {
  const root = document.documentElement.dataset.content_root;
  if (root !== undefined) return { root, suffix: "html" };
  return document.getElementById("jupyter-config-data") ? { root: "../", suffix: "ipynb" } : { root: "", suffix: "" };
}

/** All that a model can be asked, and its links. */
function fillCard(card, questions, model, close) {
  card.replaceChildren();
  card.setAttribute("aria-label", model.name);
  const head = make("div", "gm-card-head", card);
  make("strong", "", head, model.name);
  make("span", "gm-year", head, `${model.year} · ${model.density}`);
  button(head, "×", close, "gm-close", "Close");
  const list = make("ul", "gm-verdicts", card);
  for (const { words, can, by, cost } of verdicts(questions, model)) {
    const row = make("li", can ? "gm-can" : "gm-cannot", list);
    make("span", "gm-sign", row, can ? "✓" : "–").setAttribute("aria-hidden", "true");
    make("span", "", row, can ? words : `no: ${words}`);
    const how = make("span", "gm-how", row);
    if (can) make("code", "", how, by).after(`: ${cost}`);
  }
  const foot = make("div", "gm-links", card);
  for (const [kind, text, address] of links(model, surroundings())) {
    const entry = make("span", "", foot, `${kind} `);
    const link = make(address ? "a" : "span", "", entry, text);
    if (!address) continue;
    Object.assign(link, { href: address, rel: "noopener", target: /^https:|\.ipynb$/.test(address) ? "_blank" : "" });
    listenToKeys(link, () => false);
  }
}

/** Lights the branches and models that can answer; a branch's line is lit as far as its last lit part. */
function light(view, question) {
  for (const { chip, model, cost } of view.chips) {
    const answer = model.answers[question];
    chip.classList.toggle("gm-lit", Boolean(answer));
    cost.textContent = answer ? answer.cost : "";
    chip.setAttribute("aria-label", answer ? `${model.name} ${answer.cost}: yes` : `${model.name}: no`);
  }
  for (const { item, count, branches } of view.branches) {
    const [can, all] = tally(branches, question);
    item.classList.toggle("gm-lit", can > 0);
    count.textContent = all ? `${can} of ${all}` : "";
  }
  for (const { item } of view.branches) {
    let next = item.nextElementSibling;
    while (next && !next.classList.contains("gm-lit")) next = next.nextElementSibling;
    item.classList.toggle("gm-lit-below", next !== null);
  }
}

/** One tab stop for all models: the arrow keys lead on. */
function rove(view, close) {
  const stop = (number) => view.chips.forEach(({ chip }, index) => (chip.tabIndex = index === number ? 0 : -1));
  view.chips.forEach(({ chip }, number) => {
    chip.addEventListener("focus", () => stop(number));
    listenToKeys(chip, (key) => {
      if (key === "Escape") close();
      const to = stepped(key, number, view.chips.length);
      if (to !== null) view.chips[to].chip.focus();
      return to !== null;
    });
  });
  stop(0);
}

function render({ model, el }) {
  const tree = model.get("tree");
  const root = explorer(el, "gm-family-tree", "Family tree: which models can answer a question, and at what cost");
  const view = { branches: [], chips: [] };
  const go = (name, value) => {
    model.set(name, value);
    model.save_changes();
  };
  const radios = ask(root, "Which models can give …", tree.questions, (key) => go("question", key));
  const note = make("p", "gm-note", root);
  const status = make("p", "gm-status", root);
  status.setAttribute("aria-live", "polite");
  const list = make("ul", "gm-branches gm-roots", root);
  const choose = (key) => go("chosen", model.get("chosen") === key ? "" : key);
  for (const branch of tree.branches) grow(list, branch, view, choose);
  const said = make("p", "gm-said", root);
  said.setAttribute("aria-live", "polite");
  make("p", "gm-hint", root, HINT);
  const card = make("div", "gm-card", root);
  card.setAttribute("role", "group");
  const close = () => {
    const open = view.chips.find(({ model: { key } }) => key === model.get("chosen"));
    if (card.contains(document.activeElement)) open?.chip.focus();
    go("chosen", "");
  };
  rove(view, close);
  card.addEventListener("keydown", (event) => event.key === "Escape" && close(), true); // what is in it keeps its keys

  function showQuestion() {
    const question = model.get("question");
    for (const radio of radios) radio.checked = radio.value === question;
    note.textContent = tree.questions.find(({ key }) => key === question).note;
    status.textContent = sentence(tree, question);
    light(view, question);
    root.dataset.lit = tally(tree.branches, question).join("/");
  }
  function showChosen() {
    const open = view.chips.find(({ model: { key } }) => key === model.get("chosen"));
    for (const { chip, model: { key } } of view.chips) chip.setAttribute("aria-expanded", String(key === open?.model.key));
    card.hidden = !open;
    said.textContent = open ? told(tree.questions, open.model) : "";
    if (!open) return;
    open.list.after(card);
    fillCard(card, tree.questions, open.model, close);
  }
  model.on("change:question", showQuestion);
  model.on("change:chosen", showChosen);
  showQuestion();
  showChosen();
  return () => {
    model.off("change:question", showQuestion);
    model.off("change:chosen", showChosen);
  };
}

export default { render };
