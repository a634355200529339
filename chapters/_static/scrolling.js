// A formula or a table that is wider than its column scrolls: it then takes the focus, so that the arrow keys scroll it.
const reachable = () => {
  for (const part of document.querySelectorAll(".bd-article :is(div.math, div.math mjx-container, .pst-scrollable-table-container, .cell_output .output)")) {
    if (part.scrollWidth > part.clientWidth + 1) part.tabIndex = 0;
    else part.removeAttribute("tabindex");
  }
};
addEventListener("load", () => (window.MathJax?.startup?.promise ?? Promise.resolve()).then(reachable));
addEventListener("resize", reachable);
