"""Figures, source and explorers for the lessons: one style, every picture alive in the published page."""

from gmcourse.show.bending import bending, bent
from gmcourse.show.curves import loss_curve
from gmcourse.show.densities import density_map
from gmcourse.show.frames import frames
from gmcourse.show.gan_stage import GANStage
from gmcourse.show.images import compare, grid
from gmcourse.show.latent_map import LatentMap
from gmcourse.show.source import source
from gmcourse.show.spline_editor import SplineEditor
from gmcourse.show.stage_figure import stage_figure
from gmcourse.show.style import CLASS_COLOURS, COLOURS, sequential, use_style

__all__ = [
    "CLASS_COLOURS",
    "COLOURS",
    "GANStage",
    "LatentMap",
    "SplineEditor",
    "bending",
    "bent",
    "compare",
    "density_map",
    "frames",
    "grid",
    "loss_curve",
    "sequential",
    "source",
    "stage_figure",
    "use_style",
]
