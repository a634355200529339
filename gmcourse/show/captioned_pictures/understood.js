// What a typed caption asks for.

const wordsOf = (text) => text.toLowerCase().match(/[a-z]+/g) ?? [];

/** For each group the first choice all of whose words stand in the text, or −1 where there is none. */
export function understood(text, groups) {
  const said = new Set(wordsOf(text));
  return groups.map((group) => group.findIndex((choice) => wordsOf(choice).every((word) => said.has(word))));
}

/** The place of a choice of each group where the last group changes fastest, and back. */
export const combined = (choices, groups) => choices.reduce((sum, choice, k) => sum * groups[k].length + choice, 0);

export function separated(index, groups) {
  const choices = [];
  for (const group of groups.slice().reverse()) {
    choices.unshift(index % group.length);
    index = Math.floor(index / group.length);
  }
  return choices;
}
