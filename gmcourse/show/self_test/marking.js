// Answers read, marked and summed up. A question is { text, answer, tolerance, wrong: [[number as text, remark]], section }.

const SPACES = /\s/g;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const ENDLESS = /^([+-]?)(inf|infinity|∞)$/i;
const NEAR = 0.005; // of a known wrong number, as it may be rounded

/** A number from its text: a decimal point or comma, any minus sign, 1/2, 1e5, inf; NaN for what is none. */
export function numberIn(text) {
  const plain = text.replace(SPACES, "").replace(/[−–]/g, "-").replace(",", ".");
  const parts = plain.split("/");
  if (parts.length === 2 && parts.every((part) => NUMBER.test(part))) return Number(parts[0]) / Number(parts[1]);
  const endless = ENDLESS.exec(plain);
  if (endless) return endless[1] === "-" ? -Infinity : Infinity;
  return NUMBER.test(plain) ? Number(plain) : NaN;
}

/** The remark on the known wrong number that is nearest to `value`; none of them near: nothing. */
function remarkOn(value, { wrong, tolerance }) {
  const known = wrong.map(([text, remark]) => ({ number: numberIn(text), remark }));
  const away = ({ number }) => (number === value ? 0 : Math.abs(number - value));
  const near = known.filter((one) => away(one) <= Math.max(tolerance, Number.isFinite(one.number) ? NEAR * Math.abs(one.number) : 0));
  return near.sort((a, b) => away(a) - away(b))[0]?.remark ?? "";
}

/** A question's answer, marked: { state, remark }; the state is "right", "wrong", "unread" (no number) or "empty". */
export function marked(question, text) {
  if (!text.trim()) return { state: "empty", remark: "" };
  const value = numberIn(text);
  if (Number.isNaN(value)) return { state: "unread", remark: "" };
  if (Math.abs(value - question.answer) <= question.tolerance) return { state: "right", remark: "" };
  return { state: "wrong", remark: remarkOn(value, question) };
}

/** The sections of all questions that are not right: [{ title, anchor, which: "questions 3 and 4" }]. */
export function toRead(questions, states) {
  const sections = new Map();
  questions.forEach(({ section: [title, anchor] }, index) => {
    if (states[index] === "right") return;
    if (!sections.has(anchor)) sections.set(anchor, { title, anchor, numbers: [] });
    sections.get(anchor).numbers.push(index + 1);
  });
  return [...sections.values()].map(({ title, anchor, numbers }) => {
    const listed = [numbers.slice(0, -1).join(", "), numbers[numbers.length - 1]].filter(Boolean).join(" and ");
    return { title, anchor, which: `${numbers.length > 1 ? "questions" : "question"} ${listed}` };
  });
}

/** "8 of 10", with the rest of the sentence where the test is over or everything is right. */
export function scoreOf(states, over) {
  const right = states.filter((state) => state === "right").length;
  const score = `${right} of ${states.length}`;
  if (right === states.length) return `${score}: you can skip this lesson.`;
  return over ? `${score}. Read: ` : `${score} so far.`;
}
