// For the widgets of a page that has no kernel: where anywidget and the icon fonts lie, if they were vendored (else the
// CDN is asked), and the old MathJax call by which ipywidgets typesets a label, handed to today's.
const beside = (path) => new URL(path, document.currentScript.src).href;
if (document.querySelector('script[src*="vendor/require.js"]')) {
  requirejs.config({
    paths: { anywidget: beside("vendor/anywidget/index"), "@jupyter-widgets/html-manager/dist": beside("vendor/html-manager") },
  });
}
addEventListener("DOMContentLoaded", () => {
  if (window.MathJax) MathJax.Hub = { Queue: ([, , label]) => MathJax.startup.promise.then(() => MathJax.typesetPromise([label])) };
});
