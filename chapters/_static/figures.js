// A figure that scrolls sideways can be reached and scrolled by the keyboard, and says so; any other is no stop for Tab.
const asIsNeeded = new ResizeObserver((boxes) => {
  for (const { target: box } of boxes) {
    const scrolls = box.scrollWidth > box.clientWidth + 1;
    for (const [name, value] of Object.entries({ tabindex: "0", role: "group", "aria-label": "Figure, scrolls sideways" })) {
      if (scrolls) box.setAttribute(name, value);
      else box.removeAttribute(name);
    }
  }
});
for (const box of document.querySelectorAll(".gm-figure")) asIsNeeded.observe(box);
