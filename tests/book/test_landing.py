"""The landing page's explorer: one light script, whose decoder gives in the page what it gives here."""

import json
import math
import re
import shutil
import subprocess
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest
import yaml
from book import landing

ROOT = Path(__file__).resolve().parents[2]
GIVEN = json.loads((ROOT / "tools" / "book" / "latent_plane.json").read_text("utf-8"))


def decoded(z: np.ndarray) -> np.ndarray:
    """The decoder's picture of z, (n, 2), by numpy."""
    whole, start, hidden, scales = (
        np.frombuffer(b64decode(GIVEN["weights"]), "i1").astype(float),
        0,
        z,
        [*GIVEN["scales"]],
    )
    for layer in GIVEN["layers"]:
        if isinstance(layer, str):
            hidden = np.tanh(hidden) if layer == "tanh" else 1 / (1 + np.exp(-hidden))
        else:
            inputs, outputs = layer
            part = whole[start : (start := start + (inputs + 1) * outputs)] * scales.pop(0)
            hidden = hidden @ part[: inputs * outputs].reshape(outputs, inputs).T + part[inputs * outputs :]
    return hidden


def test_the_script_is_one_and_light():
    script = landing.latent_plane()
    assert len(script.encode()) < 100_000
    assert not re.search(r"^(import|export) ", script, re.M)
    assert "</script" not in script


def test_the_page_decodes_as_numpy_does_and_the_prior_is_uniform_on_the_disc():
    if shutil.which("node") is None:
        pytest.skip("Node.js is not installed")
    places = [[0.0, 0.0], [0.5, -0.2], [-0.7, 0.7], [0.99, 0.0]]
    script = landing.latent_plane().rpartition("\nalive(")[0]
    ask = f"""
        const weights = unpacked(LATENT_PLANE), zs = {places}.map((at) => latent(at, LATENT_PLANE.mass));
        const images = zs.map((z) => Array.from(forward(LATENT_PLANE.layers, weights, z)));
        console.log(JSON.stringify([zs, images]));"""
    done = subprocess.run(["node", "-"], input=script + ask, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    zs, images = map(np.array, json.loads(done.stdout))
    np.testing.assert_allclose(images, decoded(zs), atol=2e-4)
    assert images.shape == (4, 64)
    for (x, y), z in zip(places, zs):
        assert 1 - math.exp(-(z @ z) / 2) == pytest.approx(GIVEN["mass"] * (x * x + y * y))


def test_no_page_pays_for_the_landing_page():
    book = yaml.safe_load((ROOT / "book.yml").read_text("utf-8"))
    shared = book["sphinx"]["html_css_files"]
    assert not {"landing.css", "chapter.css"} & set(shared)
    for name in ("landing.css", "chapter.css"):
        assert ":has(" not in (ROOT / "chapters" / "_static" / name).read_text("utf-8")


@pytest.mark.parametrize(
    ("page", "sheets", "scripts"),
    [("index", ["landing.css", "chapter.css"], 1), ("05_gan/index", ["chapter.css"], 0), ("05_gan/01_game", [], 0)],
)
def test_a_page_is_given_what_it_needs(page, sheets, scripts):
    class App:
        def __init__(self):
            self.sheets, self.scripts = [], []

        def add_css_file(self, name):
            self.sheets.append(name)

        def add_js_file(self, name, **options):
            self.scripts.append(options)

    app = App()
    landing.dress(app, page, "page.html", {}, None)
    assert (app.sheets, len(app.scripts)) == (sheets, scripts)
