// A link to a section of the page: in the book by its anchor, in JupyterLab by its heading.

import { make } from "../js/elements.js";

/** Keeps the focus in the field while `element` is pressed: marking that field would move the element away. */
export function steady(element) {
  element.addEventListener("mousedown", (event) => event.preventDefault());
  return element;
}

function letters(text) {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
}

/** The heading with this title in the notebook that holds `el`, or in the page. */
function headingOf(el, title) {
  const place = el.closest(".jp-Notebook") ?? document;
  return [...place.querySelectorAll("h1, h2, h3, h4, h5, h6")].find(({ textContent }) => letters(textContent) === letters(title));
}

/** A link to the section; where the page has no such anchor, it leads to the heading with the same title. */
export function sectionLink(parent, { title, anchor }) {
  const link = steady(make("a", "gm-section", parent, title));
  link.href = `#${anchor}`;
  link.addEventListener("click", (event) => {
    if (document.getElementById(anchor)) return;
    const heading = headingOf(link, title);
    if (!heading) return;
    event.preventDefault();
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
    heading.scrollIntoView({ block: "start" });
  });
  return link;
}
