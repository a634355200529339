// The player: one button a sound, and the waveform and the spectrum of the one that was chosen last.

import { explorer, make } from "../js/elements.js";
import { listenToKeys } from "../js/keys.js";
import { draw, label } from "../js/plot.js";
import { spectrumOf, strongest } from "./spectrum.js";
import { playable, readWav } from "./wav.js";

const WIDE = 300;
const TALL = 110;
const FLOOR = -60; // decibels
const COLUMNS = 600;
const HINT = "Press a sound to hear it, and again to stop it. By keyboard: the arrow keys go from sound to sound, Space or Enter plays.";
const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/** An empty drawing with a frame, its title and what stands under its axis: [[place from 0 to 1, text]]. */
function panel(parent, title, ticks) {
  const box = make("div", "gm-panel", parent);
  const svg = draw("svg", { viewBox: `-6 -22 ${WIDE + 14} ${TALL + 44}`, role: "img", "aria-label": title }, box);
  draw("rect", { width: WIDE, height: TALL, rx: 5, class: "gm-frame" }, svg);
  label(svg, title, 0, -8, "start", "gm-name");
  const under = draw("g", {}, svg);
  const write = (marks) => {
    under.replaceChildren();
    for (const [place, text] of marks) {
      draw("line", { x1: place * WIDE, x2: place * WIDE, y1: 0, y2: TALL, class: "gm-gridline" }, under);
      label(under, text, place * WIDE, TALL + 15, place === 0 ? "start" : place === 1 ? "end" : "middle");
    }
  };
  write(ticks);
  return { svg, path: draw("path", { class: "gm-line" }, svg), write };
}

function pathThrough(points) {
  return points.map(([x, y], index) => `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
}

/** A line through all samples, or where they are too many through the least and the largest of each column. */
function waveform(samples, columns = COLUMNS) {
  const place = (t, x) => [(t / (samples.length - 1)) * WIDE, (1 - x) * (TALL / 2)];
  if (samples.length <= 2 * columns) return pathThrough(Array.from(samples, (x, t) => place(t, x)));
  const points = [];
  for (let column = 0; column < columns; column++) {
    const [from, to] = [column, column + 1].map((c) => Math.floor((c * samples.length) / columns));
    const part = samples.subarray(from, to);
    points.push(place(from, Math.min(...part)), place(to - 1, Math.max(...part)));
  }
  return pathThrough(points);
}

function outline({ decibels }) {
  const high = (value) => (Math.max(value, FLOOR) / FLOOR) * TALL;
  return pathThrough(decibels.map((value, k) => [(k / (decibels.length - 1)) * WIDE, high(value)]));
}

/** What is drawn and said of a sound, computed once. */
function looked(file, name) {
  const { rate, samples } = readWav(file);
  const [spectrum, seconds] = [spectrumOf(samples, rate), samples.length / rate];
  const length = `${seconds.toFixed(2)} s, ${samples.length.toLocaleString("en")} samples`;
  const words = `${name}: ${length}, strongest at ${Math.round(strongest(spectrum))} Hz`;
  return { rate, seconds, words, wave: waveform(samples), spectrum: outline(spectrum) };
}

/** A function of an index that computes each value once. */
function kept(compute) {
  const values = new Map();
  return (index) => values.get(index) ?? values.set(index, compute(index)).get(index);
}

/** One button a sound, of which one is a stop of the Tab key. */
function buttonsFor(root, names, colours, act) {
  const bar = make("div", "gm-sounds", root);
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", "Sounds: Space plays, the arrow keys go from one to the next");
  return names.map((name, index) => {
    const own = make("button", "", bar, name);
    own.type = "button";
    own.style.setProperty("--dot", colours[index]);
    own.addEventListener("click", () => act.toggle(index));
    listenToKeys(own, (key) => {
      const to = key === "Home" ? 0 : key === "End" ? names.length - 1 : index + (STEPS[key] ?? 0);
      if (to === index || to < 0 || to >= names.length) return key in STEPS;
      act.choose(to);
      return true;
    });
    return own;
  });
}

function layOut(el, names, colours, act) {
  const root = explorer(el, "gm-player gm-pills", `Player: ${names.length} sounds`);
  const buttons = buttonsFor(root, names, colours, act);
  const drawings = make("div", "gm-drawings", root);
  const wave = panel(drawings, "Waveform: amplitude over time", []);
  const spectrum = panel(drawings, "Spectrum: 0 to −60 decibels under the strongest", []);
  const cursor = draw("line", { y1: 0, y2: TALL, class: "gm-cursor", visibility: "hidden" }, wave.svg);
  const status = make("div", "gm-status", root);
  status.setAttribute("role", "status");
  make("p", "gm-hint", root, HINT);
  return { root, buttons, wave, spectrum, cursor, status };
}

function show(view, sound, colour, chosen) {
  view.root.dataset.chosen = chosen;
  view.root.style.setProperty("--sound", colour);
  view.wave.path.setAttribute("d", sound.wave);
  view.spectrum.path.setAttribute("d", sound.spectrum);
  view.wave.write([0, 0.5, 1].map((part) => [part, `${(part * sound.seconds).toFixed(3)} s`]));
  view.spectrum.write([0, 0.25, 0.5, 0.75, 1].map((part) => [part, `${Math.round((part * sound.rate) / 2)}${part === 1 ? " Hz" : ""}`]));
  view.status.textContent = sound.words;
  view.buttons.forEach((own, index) => {
    own.tabIndex = index === chosen ? 0 : -1;
    own.classList.toggle("gm-chosen", index === chosen);
  });
}

/** Plays one file at a time; tell(index or null) when that changes, move(share of the file) while it plays. */
function playerOf(files, tell, move) {
  const audio = new Audio();
  const address = kept((index) => URL.createObjectURL(new Blob([playable(files[index])], { type: "audio/wav" })));
  let playing = null;
  const follow = () => {
    if (playing === null) return;
    move(audio.currentTime / (audio.duration || 1));
    requestAnimationFrame(follow);
  };
  const change = (index) => {
    playing = index;
    tell(index);
  };
  audio.addEventListener("ended", () => change(null));
  return {
    stop() {
      audio.pause();
      change(null);
    },
    async play(index) {
      audio.src = address(index);
      change(index);
      await audio.play();
      follow();
    },
    isPlaying: (index) => playing === index,
  };
}

function render({ model, el }) {
  const [files, names, colours] = ["sounds", "names", "colours"].map((name) => model.get(name));
  const sound = kept((index) => looked(files[index], names[index]));
  const choose = (index) => {
    model.set("chosen", index);
    model.save_changes();
  };
  const view = layOut(el, names, colours, {
    choose: (index) => {
      choose(index);
      view.buttons[index].focus();
    },
    toggle: (index) => {
      choose(index);
      if (player.isPlaying(index)) player.stop();
      else player.play(index).catch(refused);
    },
  });
  const player = playerOf(
    files,
    (playing) => {
      view.root.dataset.playing = playing ?? "";
      view.cursor.setAttribute("visibility", playing === null ? "hidden" : "visible");
      view.buttons.forEach((own, index) => own.setAttribute("aria-pressed", String(index === playing)));
    },
    (share) => ["x1", "x2"].forEach((end) => view.cursor.setAttribute(end, share * WIDE)),
  );
  function refused(error) {
    if (error.name === "AbortError") return; // another sound was pressed
    player.stop();
    view.status.textContent = `This browser does not play it: ${error.message}`;
  }
  const again = () => show(view, sound(model.get("chosen")), colours[model.get("chosen")], model.get("chosen"));
  model.on("change:chosen", again);
  player.stop();
  again();
  return () => {
    model.off("change:chosen", again);
    player.stop();
  };
}

export default { render };
