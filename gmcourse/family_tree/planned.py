"""The models that lessons still to come will bring, each on its branch: a model that lands in the catalogue leaves."""

import re
from dataclasses import dataclass

ADVERSARIAL = ("implicit density", "adversarial")


@dataclass(frozen=True)
class Planned:
    """A model to come: its name, its branch of the tree, the lesson that will bring it, its paper's key where known."""

    name: str
    branch: tuple[str, ...]
    lesson: str
    paper: str = ""

    @property
    def key(self) -> str:
        """The key that its record would have: "VQ-VAE" gives "vq-vae"."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.casefold().replace("β", "beta").replace("++", "-pp")).strip("-")


PLANNED = (
    Planned("CGAN", ADVERSARIAL, "05_gan/06_conditional"),
    Planned("ACGAN", ADVERSARIAL, "05_gan/06_conditional"),
    Planned("pix2pix", ADVERSARIAL, "05_gan/07_translation"),
    Planned("CycleGAN", ADVERSARIAL, "05_gan/07_translation"),
    Planned("StyleGAN", ADVERSARIAL, "05_gan/08_style"),
)
