// The family tree as words: who can answer, what a model says to every question, and where its links lead.

/** Every branch that holds models, in the order of the tree. */
export function leavesOf(branches) {
  return branches.flatMap((branch) => (branch.branches ? leavesOf(branch.branches) : [branch]));
}

export function modelsOf(branches) {
  return leavesOf(branches).flatMap((leaf) => leaf.models);
}

/** How many models of these branches can answer, of how many. */
export function tally(branches, question) {
  const models = modelsOf(branches);
  return [models.filter(({ answers }) => question in answers).length, models.length];
}

/** The state of the tree in one sentence. */
export function sentence({ questions, branches }, question) {
  const [can, all] = tally(branches, question);
  const { words } = questions.find(({ key }) => key === question);
  return `${can} of ${all} models can give ${words}.`;
}

/** What a model says to each question: {words, can}, and where it can, by which method and at what cost. */
export function verdicts(questions, { answers }) {
  return questions.map(({ key, words }) => {
    const answer = answers[key];
    return { words, can: Boolean(answer), ...answer };
  });
}

/** The same for a reader who does not see it. */
export function told(questions, model) {
  const all = verdicts(questions, model);
  const can = all.filter((one) => one.can).map(({ words, cost }) => `${words} (${cost})`);
  const cannot = all.filter((one) => !one.can).map(({ words }) => words);
  const rest = cannot.length ? ` Not ${cannot.join("; ")}.` : "";
  return `${model.name}, ${model.year}, ${model.density}. It gives ${can.join("; ") || "nothing that is asked here"}.${rest}`;
}

/**
 * Where a model's links lead: [kind, text, address]; an address is "" where there is no such page. `root` is the
 * folder of the chapters as seen from here, "html" or "ipynb" the kind of its pages, "" where there are none.
 */
export function links({ number, lesson, arxiv, module, page }, { root, suffix }) {
  return [
    ["Lesson", number, suffix ? `${root}${lesson}.${suffix}` : ""],
    ["Paper", arxiv ? `arXiv:${arxiv}` : "", arxiv ? `https://arxiv.org/abs/${arxiv}` : ""],
    ["Model", module, suffix === "html" ? `${root}${page}.html#module-${module}` : ""],
  ].filter(([, text]) => text);
}

/** The number of the model that a key leads to from number `from` of `count`; null for other keys. */
export function stepped(key, from, count) {
  const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  return key in steps ? Math.min(count - 1, Math.max(0, from + steps[key])) : null;
}
