"""Every explorer in one output of a notebook: the widget, and its still picture with words for it."""

import base64
import io
import json

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
import torch
from IPython.core.formatters import DisplayFormatter
from nbclient import NotebookClient
from PIL import Image
from torch import nn

from gmcourse import show
from gmcourse.autoregressive.lstm import LSTMLanguageModel
from gmcourse.catalogue import find
from gmcourse.family_tree import family_tree
from gmcourse.flows import Flow
from gmcourse.nets import UNet, mlp
from gmcourse.scores.denoiser import Denoiser
from gmcourse.scores.mixture import NoisedMixture

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"


class Turn(nn.Module):
    def forward(self, x):
        return x.flip(1), torch.zeros(len(x))


SMALL_TREE = family_tree([find("gan"), find("planar-flow")])
EXPLORERS = {
    "frames": lambda **given: show.frames(
        [np.zeros((4, 4)), np.eye(4)], [0, 1], "k", **{"alt": "A line.", "start": 1} | given
    ),
    "bending": lambda **given: show.bending(Flow([Turn(), Turn(), Turn()], (2,)), **given),
    "CaptionedPictures": lambda **given: show.CaptionedPictures(
        torch.rand(4, 2, 3, 4, 4), [["one", "two"], ["red", "blue"]], list("abcd"), **given
    ),
    "ClassStyle": lambda **given: show.ClassStyle(
        nn.Sequential(nn.Linear(5, 4), nn.Sigmoid()), torch.randn(9, 2), torch.arange(9) % 3, **given
    ),
    "DenoisingStrip": lambda **given: show.DenoisingStrip(
        Denoiser(UNet(1, (4, 4))), torch.tensor([3.0, 1.0, 0.1]), calls=2, **given
    ),
    "FamilyTree": lambda **given: show.FamilyTree(tree=SMALL_TREE, **given),
    "FooledMetrics": lambda **given: show.FooledMetrics(*(0.5 * torch.randn(n, 2) for n in (150, 150, 1200)), **given),
    "GANStage": lambda **given: show.GANStage(mlp([2, 4, 2]), mlp([2, 4, 1]), torch.randn(20, 2), **given),
    "LatentMap": lambda **given: show.LatentMap(
        nn.Sequential(nn.Linear(2, 4), nn.Sigmoid()), torch.randn(9, 2), torch.arange(9) % 2, **given
    ),
    "MaskPainter-orders": lambda **given: show.MaskPainter("orders", **given),
    "MaskPainter-kernels": lambda **given: show.MaskPainter("kernels", **given),
    "ModelTable": lambda **given: show.ModelTable(
        [show.Column("a", "A"), show.Column("b", "B")],
        [{"name": "one", "family": "f", "a": 1, "b": None}, {"name": "two", "family": "g", "a": 2.5, "b": 3}],
        **{"x": "a", "y": "b", "sort": "a", "alt": "Two models."} | given,
    ),
    "Player": lambda **given: show.Player(torch.rand(2, 50) - 0.5, 4000, ["a", "b"], **given),
    "NextCharacter": lambda **given: show.NextCharacter(
        LSTMLanguageModel(3, embedding=2, hidden=2), "ab ", context="a", **given
    ),
    "NoisyDrawing": lambda **given: show.NoisyDrawing(mlp([16, 4, 16]), torch.rand(2, 4, 4), **given),
    "ScoreField": lambda **given: show.ScoreField(
        NoisedMixture(torch.tensor([[-2.0, 0.0], [2.0, 1.0]]), 0.5), steps=2, levels=(4, 0.5, 2), **given
    ),
    "SelfTest": show.SelfTest,
    "SplineEditor": lambda **given: show.SplineEditor([-3, -1, 0.5, 3], [-3, -0.2, 0.1, 3], [1, 0.3, 4, 1], **given),
}
every = pytest.mark.parametrize("made", EXPLORERS.values(), ids=EXPLORERS)


def displayed(widget):
    data, metadata = DisplayFormatter().format(widget)
    picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    return data, metadata, picture


@every
def test_the_still_picture_stands_beside_the_widget_with_its_words(made):
    widget = made()
    data, metadata, picture = displayed(widget)
    assert data[VIEW]["model_id"] == widget.model_id
    assert metadata["image/png"] == {"alt": widget.alt}
    assert data["text/plain"] == widget.alt
    assert len(widget.alt) > 5
    assert picture.mode == "P"
    assert len(np.unique(np.asarray(picture.convert("L")))) > 1
    assert len(data["image/png"]) < 60_000


@every
def test_every_explorer_is_an_anywidget_that_the_page_can_run(made):
    """The host of the published page, _static/widgets.js, runs nothing else."""
    state = made().get_state()
    assert (state["_model_module"], state["_view_module"]) == ("anywidget", "anywidget")
    assert state["_esm"].rstrip().endswith("export default { render };")
    assert "IPY_MODEL_" not in json.dumps(
        {name: value for name, value in state.items() if name not in ("layout", "pictures")}, default=str
    )


@every
def test_a_figure_of_ones_own_may_stand_still_and_is_not_shown_twice(made):
    figure, axes = plt.subplots(figsize=(2, 1))
    axes.axis("off")
    *_, picture = displayed(made(still=figure, alt="Nothing at all."))
    assert np.asarray(picture.convert("L")).min() == 255
    assert not plt.fignum_exists(figure.number)
    assert displayed(made(alt="Nothing at all."))[1] == {"image/png": {"alt": "Nothing at all."}}


@every
def test_what_is_no_picture_or_no_words_is_named(made):
    with pytest.raises(TypeError, match="still: got str, expected a matplotlib Figure, or None"):
        made(still="picture.png")
    with pytest.raises(ValueError, match="alt: got ' '"):
        made(alt=" ")


def test_the_still_picture_is_the_frame_that_it_opens_on():
    slider = show.frames([np.zeros((4, 4)), np.eye(4)], [0, 1], "k", "A line.", start=1)
    assert base64.b64decode(displayed(slider)[0]["image/png"]) == slider.pictures[1]


def test_the_stage_keeps_the_players_as_they_were_at_its_start():
    generator = mlp([2, 4, 2])
    stage = show.GANStage(generator, mlp([2, 4, 1]), torch.randn(20, 2))
    before = displayed(stage)[0]["image/png"]
    nn.init.constant_(generator[0].weight, 3.0)
    assert displayed(stage)[0]["image/png"] == before


@pytest.mark.timeout(120)
def test_a_notebook_stores_one_output_with_the_widget_its_picture_and_its_words():
    """As nbclient writes it, a figure that pyplot has opened for it included."""
    source = (
        "import matplotlib.pyplot as plt, numpy as np\n%matplotlib inline\nfrom gmcourse import show\n"
        "show.frames([np.zeros((4, 4)), np.eye(4)], [0, 1], 'k', 'A line.', still=plt.subplots()[0])"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    NotebookClient(notebook, timeout=100, kernel_name="python3").execute()
    (output,) = notebook.cells[0].outputs
    assert {VIEW, "image/png", "text/plain"} == set(output.data)
    assert output.metadata["image/png"] == {"alt": "A line."}
    saved = notebook.metadata.widgets[STATE]["state"][output.data[VIEW]["model_id"]]
    assert [buffer["path"] for buffer in saved["buffers"]] == [["pictures", 0], ["pictures", 1]]
    assert base64.b64decode(saved["buffers"][1]["data"]).startswith(b"\x89PNG")
