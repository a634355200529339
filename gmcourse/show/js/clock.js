// What goes on by itself in a page, frame by frame, while it is seen.

/** Milliseconds: a frame as it is aimed at, its work at most, from one set of numbers and one calm picture to the next. */
const [FRAME, MOST, NUMBERS, CALM] = [28, 16, 120, 500];

/** Calls again() when the size or the colours of the page have changed, seen(whether) when `box` comes into sight or goes. */
export function watch(box, seen, again) {
  const sight = new IntersectionObserver(([entry]) => {
    seen(entry.isIntersecting);
    again();
  });
  sight.observe(box);
  const size = new ResizeObserver(again);
  size.observe(box);
  const theme = new MutationObserver(again);
  theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  theme.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
  return () => [sight, size, theme].forEach((observer) => observer.disconnect());
}

/**
 * While `wanted()`, once a frame work(budget in ms), which gets what painting leaves of the frame, then paint(), and
 * tell() now and then; where the reader wants little motion, pictures are as rare as numbers.
 */
export function animation(wanted, work, paint, tell) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const last = { picture: 0, numbers: 0 };
  let [frame, before, spent] = [0, 0, 0];
  function go(now) {
    frame = 0;
    if (!wanted()) return;
    const rest = before ? Math.min(FRAME, now - before - spent) : 0;
    before = now;
    const began = performance.now();
    work(Math.min(MOST, FRAME - rest));
    spent = performance.now() - began;
    if (now - last.picture >= (calm.matches ? CALM : 0)) paint((last.picture = now));
    if (now - last.numbers >= (calm.matches ? CALM : NUMBERS)) tell((last.numbers = now));
    next();
  }
  function next() {
    if (!wanted()) before = 0;
    else if (!frame) frame = requestAnimationFrame(go);
  }
  return { next, end: () => cancelAnimationFrame(frame) };
}
