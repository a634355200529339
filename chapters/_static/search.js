// The list of results: lessons first, then other pages, then the API; each with a line of its page's own prose.
// Sphinx finds them (searchtools.js); `searchProse` (search_prose.js) is the prose, so that nothing is fetched.
const WIDTH = 200; // characters of a line of prose

// Matches a word of the query at the start of a word of prose; a short one as a whole: "GAN" does not find "gang".
const matcher = (words) => {
  const whole = "s?(?![\\p{L}\\p{N}_]|\\.\\p{L})";
  const parts = words.map((word) => _escapeRegExp(word) + (word.length < 4 ? whole : ""));
  return new RegExp(`(?<![\\p{L}\\p{N}_])(?:${parts.join("|")})`, "giu");
};

// How well matches answer: several words before one word often.
const worth = (matches) => new Set(matches.map(([word]) => word.toLowerCase())).size * 100 + matches.length;

const best = (values) => values.indexOf(Math.max(...values));

// The section named by the anchor, or else the one that answers best, and how often the whole page has the words.
const passage = (page, anchor, words) => {
  const sections = page?.sections ?? [];
  const matches = sections.map(([, text]) => [...text.matchAll(words)]);
  const named = anchor ? sections.findIndex(([id]) => id === anchor) : -1;
  const [section, text] = sections[named < 0 ? best(matches.map(worth)) : named] ?? ["", ""];
  return { section, text, times: matches.flat().length };
};

// A line of `text` around the matches that answer best, from a word to a word, the matches marked.
const line = (text, words) => {
  const found = [...text.matchAll(words)];
  const near = found.map(({ index: at }) => found.filter(({ index }) => index >= at && index < at + WIDTH / 2));
  const first = found[best(near.map(worth))]?.index ?? 0;
  const start = first < 60 ? 0 : text.indexOf(" ", first - 60) + 1;
  const end = text.length - start < WIDTH ? text.length : text.lastIndexOf(" ", start + WIDTH);
  const element = document.createElement("p");
  element.className = "context";
  element.append(start ? "… " : "");
  let from = start;
  for (const { 0: word, index } of found.filter(({ index }) => index >= start && index < end)) {
    element.append(text.slice(from, index));
    element.appendChild(document.createElement("mark")).textContent = word;
    from = index + word.length;
  }
  element.append(text.slice(from, end), end < text.length ? " …" : "");
  return element;
};

// An entry of the index is listed as its object is; an object, where its own name has a word or a name was asked for.
const listed = (asked, named) => ([file, title, , , , , kind]) => {
  if (kind === "index") return searchProse[file]?.rank > 1;
  const name = title.split(".").pop().toLowerCase();
  return kind !== "object" || named || splitQuery(asked).some((word) => name.includes(word));
};

// Where a lesson stands in its chapter, for the lessons of the family that was asked for: the first comes first.
const turn = (file) => -Number(file.match(/\/(\d+)_/)?.[1] ?? 0);

// Whether a word of the title begins what was asked for: "flow" is in Flows, GAN is not in DRAGAN.
const plain = (text) => ` ${text.toLowerCase().replace(/[^\p{L}\p{N}_.]+/gu, " ").trim()}`;
const begins = (title, asked) => plain(title).includes(plain(asked));

// The words of an anchor, and where a page of terms defines what was asked for.
const said = (anchor) => anchor.replace(/^#?(term|index)-/, "").replaceAll("-", " ");
const isTerm = (asked) => ([id]) => /^#?term-/.test(id) && plain(said(id)) === plain(asked);
const defined = (page, asked) => page?.sections.find(isTerm(asked))?.[0] ?? "";

// Listed by kind of page, a title before a text, the family's own lessons, how often the words are there, a score.
const weighed = (asked, named, words) => (result) => {
  const [file, title, anchor, , score, , kind] = result;
  const [page, object] = [searchProse[file], kind === "object"];
  const found = passage(page, anchor || defined(page, asked), words);
  const rank = object ? (named ? 9 : 0) : page?.rank ?? 0;
  const name = kind === "index" ? said(anchor) : title;
  const called = object || begins(name, asked); // Sphinx keeps the better scored of title and text
  const family = file.includes(asked);
  return { ...found, result, key: [rank, called, family, object ? 0 : family ? turn(file) : found.times, score] };
};

const item = ({ result: [file, title, anchor, description, , , kind], section, text }, words) => {
  const element = document.createElement("li");
  const link = element.appendChild(document.createElement("a"));
  link.href = file + DOCUMENTATION_OPTIONS.LINK_SUFFIX + (anchor || section);
  link.textContent = kind !== "object" && file.startsWith("api/") ? `${title} (API)` : title; // named as its chapter
  element.append(description ? ` (${description})` : text ? line(text, words) : "");
  return element;
};

Search.query = (query) => {
  const [, terms, excluded, shown, objects] = Search._parseQuery(query);
  const asked = query.toLowerCase().trim();
  const words = matcher(terms.size ? [...new Set([...shown, ...terms])] : [query]); // none are left of "the" or "2017"
  const named = /[_.]/.test(asked); // as the names of the package are written
  const found = Search._performSearch(query, terms, excluded, shown, objects).filter(listed(asked, named));
  const order = found.map(weighed(asked, named, words)).sort((a, b) => b.key.reduce((o, v, i) => o || v - a.key[i], 0));
  const items = new Map(); // a page stands once, with its best place; an object of the package for itself
  for (const entry of order) {
    const [file, , anchor, , , , kind] = entry.result;
    const once = kind === "object" ? file + anchor : file;
    if (!items.has(once)) items.set(once, item(entry, words));
  }
  Search.output.append(...items.values());
  _finishSearch(items.size);
};
