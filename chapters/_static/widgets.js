// The explorers of a published page, alive without a kernel. A notebook saves the state of its widgets; each of ours is an
// anywidget, whose state holds its own ES module and style sheet. This runs them, and says so where it cannot.
(() => {
  const MIME = "application/vnd.jupyter.widget-";

  function savedIn(kind) {
    return Array.from(document.querySelectorAll(`script[type="${MIME}${kind}+json"]`));
  }

  /** A widget's traits, with its bytes put back in their places as DataViews. */
  function traitsOf({ state, buffers = [] }) {
    for (const { path, data } of buffers) {
      const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
      const holder = path.slice(0, -1).reduce((part, key) => part[key], state);
      holder[path[path.length - 1]] = new DataView(bytes.buffer);
    }
    return state;
  }

  /** What a module sees of its widget. What it saves or sends goes no further: there is no kernel. */
  function newModel(traits) {
    const listeners = [];
    const tell = (event, ...news) => {
      for (const [name, listener] of [...listeners]) if (name === event) listener(...news);
    };
    return {
      get: (name) => traits[name],
      set(name, value) {
        if (Object.is(traits[name], value)) return;
        traits[name] = value;
        tell(`change:${name}`, this, value);
        tell("change", this);
      },
      on: (names, listener) => names.split(" ").forEach((name) => listeners.push([name, listener])),
      off(names, listener) {
        const ended = ([name, other]) => (!names || names.split(" ").includes(name)) && (!listener || other === listener);
        listeners.splice(0, Infinity, ...listeners.filter((pair) => !ended(pair)));
      },
      save_changes() {},
      send() {},
    };
  }

  const styles = new Set();
  function addStyle(css) {
    if (!css || styles.has(css)) return;
    styles.add(css);
    document.head.appendChild(document.createElement("style")).textContent = css;
  }

  /** A widget's module, from its source: the default export (an object, or a function that gives one), or all exports. */
  async function moduleOf(source) {
    const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const module = await import(address).finally(() => URL.revokeObjectURL(address));
    const widget = module.default ?? module;
    const made = typeof widget === "function" ? await widget() : widget;
    if (!made?.render) throw new Error("its module has nothing to render");
    return made;
  }

  /** The saved widget, its module run once for all its places in the page. */
  async function started(saved) {
    if (!saved) throw new Error("its state was not saved with the notebook");
    if (saved.model_module !== "anywidget") throw new Error(`${saved.model_name} is no anywidget, and this page runs no other`);
    const traits = traitsOf(saved);
    const [model, signal] = [newModel(traits), new AbortController().signal];
    const widget = await moduleOf(traits._esm);
    addStyle(traits._css);
    await widget.initialize?.({ model, signal, experimental: {} });
    return (el) => widget.render({ model, el, signal, experimental: {} });
  }

  async function show(script, saved, running) {
    const el = document.createElement("div");
    el.className = "gm-widget";
    script.after(el);
    try {
      const id = JSON.parse(script.textContent).model_id;
      if (!running.has(id)) running.set(id, started(saved[id]));
      await (await running.get(id))(el);
    } catch (error) {
      console.error("widgets.js:", error);
      el.className = "gm-widget-failed";
      el.textContent = `This explorer does not run here: ${error.message}.`;
    }
  }

  function stateOf(script) {
    try {
      return JSON.parse(script.textContent).state;
    } catch (error) {
      console.error("widgets.js: the saved state cannot be read:", error);
      return {}; // each explorer then says that its state is missing
    }
  }

  function start() {
    const saved = Object.assign({}, ...savedIn("state").map(stateOf));
    const running = new Map();
    for (const script of savedIn("view")) show(script, saved, running);
  }

  if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
  else start();
})();
