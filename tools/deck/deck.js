// A deck: its formulas set, its slides fitted to the screen, its keys shared with the explorers.
(() => {
  const [LEAST, STEP] = [0.5, 0.04]; // how far what is too much for a slide is made smaller
  const [MOST, READABLE, SCROLLED, BESIDE] = [1.5, 0.55, 0.8, 320]; // an explorer's scale, its caption's width

  /** The room that a slide leaves within its margins. */
  function room(section) {
    const { paddingTop, paddingBottom, paddingLeft, paddingRight } = getComputedStyle(section);
    return [
      section.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight),
      section.clientHeight - parseFloat(paddingTop) - parseFloat(paddingBottom),
    ];
  }

  /**
   * Makes an explorer as large as the rest of its slide lets it be; beside its caption where it would be small above
   * it, and in a window that scrolls where it would be too small to read.
   */
  function fitExplorer(explorer, box, width, height) {
    const [view, caption] = [explorer.firstElementChild, explorer.closest(".outputs").nextElementSibling];
    for (const part of [explorer, view]) part.removeAttribute("style");
    caption?.classList.remove("beside");
    const [own, across] = [view.offsetHeight, view.offsetWidth];
    if (!own) return;
    const free = () => height - box.scrollHeight + own;
    if (free() < own && caption?.matches(".caption")) {
      caption.classList.add("beside");
      caption.style.top = `${explorer.offsetTop}px`;
    }
    const wide = width - (caption?.matches(".beside") ? BESIDE : 0);
    const [rest, wanted] = [free(), Math.min(wide / across, free() / own, MOST)];
    const scale = wanted < READABLE ? SCROLLED : wanted;
    view.style.transform = `scale(${scale})`;
    Object.assign(explorer.style, { width: `${across * scale}px`, height: `${Math.min(own * scale, rest)}px` });
    explorer.style.margin = wide < width ? "0" : "";
    explorer.style.overflowY = wanted < READABLE ? "auto" : "visible";
  }

  /** Makes what stands on a slide smaller until all of it is seen. */
  function fit(section) {
    const box = section?.querySelector(":scope > .fit");
    if (!box) return;
    const [width, height] = room(section);
    Object.assign(box.style, { width: `${width}px`, transform: "" });
    for (const explorer of box.querySelectorAll(".explorer")) fitExplorer(explorer, box, width, height);
    for (let scale = 1; ; scale -= STEP) {
      Object.assign(box.style, { width: `${width / scale}px`, transform: scale < 1 ? `scale(${scale})` : "" });
      const whole = box.scrollHeight * scale <= height + 1 && box.scrollWidth * scale <= width + 1;
      if (whole || scale - STEP < LEAST) {
        box.dataset.scale = scale.toFixed(2);
        section.classList.toggle("overfull", !whole);
        return;
      }
    }
  }

  /** Whether a key is the deck's: not where an explorer, a field or a button has a use for it. */
  function isForDeck(event) {
    if (event.defaultPrevented || event.target.closest("input, select, textarea")) return false;
    return !(event.target.closest("button, summary, a") && [" ", "Enter"].includes(event.key));
  }

  async function start() {
    const deck = new Reveal({
      width: 1280, height: 720, margin: 0, center: false, hash: true, slideNumber: "c/t", transition: "none",
      viewDistance: 2, keyboardCondition: isForDeck, plugins: [RevealNotes],
    });
    await deck.initialize();
    const again = () => fit(deck.getCurrentSlide());
    deck.on("slidechanged", again);
    addEventListener("toggle", again, true);
    for (const box of document.querySelectorAll(".fit, .view")) new ResizeObserver(again).observe(box);
    await MathJax.startup.promise;
    await document.fonts.ready;
    again();
    document.documentElement.dataset.deck = "ready";
  }

  if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
  else start();
})();
