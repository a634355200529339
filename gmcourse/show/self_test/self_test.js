// The self-test: a field for a number under each question, marked here; nothing is stored and nothing is sent.

import { button, explorer, make } from "../js/elements.js";
import { listenToKeys } from "../js/keys.js";
import { marked, scoreOf, toRead } from "./marking.js";
import { sectionLink, steady } from "./section.js";

const WORDS = {
  right: "Right.",
  wrong: "Not yet.",
  unread: "This is not a number that can be read here. Write it as −2.5, 2,5 or 1/2.",
  empty: "No answer yet.",
};

/** A question with its field, its button and a place for remarks; mark() is called for the field's text. */
function rowOf(list, question, number, name, mark) {
  const item = make("li", "gm-question", list);
  const label = make("label", "gm-text", item);
  make("span", "gm-number", label, `${number}.`);
  make("span", "", label, ` ${question.text}`);
  const line = make("div", "gm-line", item);
  const field = make("input", "gm-field", line);
  Object.assign(field, { type: "text", id: `${name}-${number}`, autocomplete: "off", spellcheck: false, enterKeyHint: "done" });
  const wanted = make("span", "gm-wanted", line, question.wanted);
  const remark = make("p", "gm-remark", item);
  label.htmlFor = field.id;
  wanted.id = `${field.id}-wanted`;
  remark.id = `${field.id}-remark`;
  field.setAttribute("aria-describedby", `${wanted.id} ${remark.id}`);
  field.addEventListener("change", () => field.value !== field.dataset.marked && mark());
  listenToKeys(field, (key) => key === "Enter" && (mark(), true));
  steady(button(line, "Mark", mark, "gm-mark", `Mark question ${number}`));
  return { item, field, remark };
}

/** The outcome under a question: words, a remark where there is one, and what to read; without a state nothing. */
function tell({ item, field, remark }, question, { state, remark: asked }) {
  item.dataset.state = state;
  field.setAttribute("aria-invalid", String(state === "wrong" || state === "unread"));
  remark.replaceChildren();
  if (!state) return;
  remark.append([WORDS[state], asked, state === "right" ? "" : "Read: "].filter(Boolean).join(" "));
  if (state === "right") return;
  sectionLink(remark, { title: question.section[0], anchor: question.section[1] });
  remark.append(".");
}

/** "8 of 10. Read: KL and Jensen (question 4); …." with links. */
function sumUp(place, questions, states, over) {
  const score = scoreOf(states, over);
  place.replaceChildren(score);
  if (!score.endsWith("Read: ")) return;
  toRead(questions, states).forEach((section, index) => {
    place.append(index ? "; " : "");
    sectionLink(place, section);
    place.append(` (${section.which})`);
  });
  place.append(".");
}

function render({ model, el }) {
  const questions = model.get("questions");
  const root = explorer(el, "gm-self-test gm-pills", `Self-test: ${questions.length} questions, marked in this page`);
  const list = make("ol", "gm-questions", root);
  const name = `gm-self-test-${Math.random().toString(36).slice(2)}`;
  const rows = questions.map((question, index) => rowOf(list, question, index + 1, name, () => markOne(index)));
  const bar = make("div", "gm-bar", root);
  steady(button(bar, "Mark all", markAll, "gm-all"));
  steady(button(bar, "Start again", startAgain));
  const verdict = make("p", "gm-verdict", root);
  const spoken = make("div", "gm-spoken", root);
  spoken.setAttribute("role", "status");
  let states = questions.map(() => "");
  let over = false;

  function mark(index) {
    const { field } = rows[index];
    const outcome = marked(questions[index], field.value);
    field.dataset.marked = field.value;
    states[index] = outcome.state;
    tell(rows[index], questions[index], outcome);
  }
  function show() {
    over ||= states.every(Boolean);
    sumUp(verdict, questions, states, over);
  }
  function markOne(index) {
    mark(index);
    show();
    spoken.textContent = `Question ${index + 1}: ${rows[index].remark.textContent} ${verdict.textContent}`;
  }
  function markAll() {
    questions.forEach((_, index) => mark(index));
    show();
    spoken.textContent = verdict.textContent;
  }
  function startAgain() {
    states = questions.map(() => "");
    over = false;
    rows.forEach((row, index) => {
      row.field.value = row.field.dataset.marked = "";
      tell(row, questions[index], { state: "", remark: "" });
    });
    verdict.replaceChildren();
    spoken.textContent = "All answers are cleared.";
    rows[0].field.focus();
  }
}

export default { render };
