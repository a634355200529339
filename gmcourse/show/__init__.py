"""Figures, source and explorers for the lessons: one style, every picture alive in the published page.

What is drawn with is loaded when it is first asked for: `gmcourse.show.source` alone loads no widgets and no IPython.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from gmcourse.show.source import source  # now, since loading the module later would give its own name to the module

if TYPE_CHECKING:  # what editors read
    from gmcourse.show.attention_map import AttentionMap
    from gmcourse.show.bent_plane import bending, bent
    from gmcourse.show.captioned_pictures import CaptionedPictures
    from gmcourse.show.class_style import ClassStyle
    from gmcourse.show.curves import loss_curve
    from gmcourse.show.denoising_strip import DenoisingStrip
    from gmcourse.show.densities import density_map
    from gmcourse.show.edge_painter import EdgePainter
    from gmcourse.show.family_tree import FamilyTree
    from gmcourse.show.family_tree.figure import tree_figure
    from gmcourse.show.fooled import FooledMetrics
    from gmcourse.show.frame_slider import film, frames
    from gmcourse.show.gan_stage import GANStage
    from gmcourse.show.gan_stage.figure import stage_figure
    from gmcourse.show.guide import guide_figure, standing_figure
    from gmcourse.show.images import compare, grid
    from gmcourse.show.latent_map import LatentMap
    from gmcourse.show.mask_painter import MaskPainter
    from gmcourse.show.model_table import Column, ModelTable
    from gmcourse.show.next_character import NextCharacter
    from gmcourse.show.noisy_drawing import NoisyDrawing
    from gmcourse.show.pixel_completion import PixelCompletion
    from gmcourse.show.player import Player
    from gmcourse.show.score_field import ScoreField
    from gmcourse.show.self_test import SelfTest
    from gmcourse.show.spline_editor import SplineEditor
    from gmcourse.show.style import CLASS_COLOURS, COLOURS, sequential, use_style
    from gmcourse.show.three_fits import ThreeFits

_HOMES = {
    **dict.fromkeys(("CLASS_COLOURS", "COLOURS", "sequential", "use_style"), "style"),
    **dict.fromkeys(("compare", "grid"), "images"),
    **dict.fromkeys(("bending", "bent"), "bent_plane"),
    "density_map": "densities",
    "loss_curve": "curves",
    **dict.fromkeys(("film", "frames"), "frame_slider"),
    **dict.fromkeys(("Column", "ModelTable"), "model_table"),
    **dict.fromkeys(("guide_figure", "standing_figure"), "guide"),
    "stage_figure": "gan_stage.figure",
    "tree_figure": "family_tree.figure",
    "AttentionMap": "attention_map",
    "CaptionedPictures": "captioned_pictures",
    "ClassStyle": "class_style",
    "DenoisingStrip": "denoising_strip",
    "EdgePainter": "edge_painter",
    "FamilyTree": "family_tree",
    "FooledMetrics": "fooled",
    "GANStage": "gan_stage",
    "LatentMap": "latent_map",
    "MaskPainter": "mask_painter",
    "NextCharacter": "next_character",
    "NoisyDrawing": "noisy_drawing",
    "PixelCompletion": "pixel_completion",
    "Player": "player",
    "ScoreField": "score_field",
    "SelfTest": "self_test",
    "SplineEditor": "spline_editor",
    "ThreeFits": "three_fits",
}
__all__ = [
    "CLASS_COLOURS",
    "COLOURS",
    "AttentionMap",
    "CaptionedPictures",
    "ClassStyle",
    "Column",
    "DenoisingStrip",
    "EdgePainter",
    "FamilyTree",
    "FooledMetrics",
    "GANStage",
    "LatentMap",
    "MaskPainter",
    "ModelTable",
    "NextCharacter",
    "NoisyDrawing",
    "PixelCompletion",
    "Player",
    "ScoreField",
    "SelfTest",
    "SplineEditor",
    "ThreeFits",
    "bending",
    "bent",
    "compare",
    "density_map",
    "film",
    "frames",
    "grid",
    "guide_figure",
    "loss_curve",
    "sequential",
    "source",
    "stage_figure",
    "standing_figure",
    "tree_figure",
    "use_style",
]


def __getattr__(name: str) -> object:
    """A public name, from its module (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
