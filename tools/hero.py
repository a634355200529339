"""Draw the landing page's picture: a Gaussian VAE with two latents, decoded over its prior. Run: python tools/hero.py

The points lie on a sunflower spiral in the disc of the picture, and z is the disc warped so that the prior is uniform
on it: radius r holds the mass 1 − e^{−r²/2}, so each of the digits stands for an equal share of the prior. Beside the
picture lies the decoder itself, in whole numbers of 8 bits, for the lens that moves over it.
"""

import json
import math
from base64 import b64encode
from pathlib import Path

import numpy as np
import torch
from contourpy import contour_generator
from scipy.ndimage import zoom
from torch import nn

from gmcourse.data import load
from gmcourse.nets import mlp
from gmcourse.show.explorer import layers_of
from gmcourse.training import fit
from gmcourse.vae import GaussianVAE
from gmcourse.vae.likelihoods import Bernoulli

TOOLS = Path(__file__).resolve().parent
PICTURE = TOOLS.parent / "chapters" / "_static" / "hero.svg"
DECODER = TOOLS / "book" / "latent_plane.json"
DIGITS = 540
SIZE = 2000  # of the picture, in its own units
SIDE = SIZE * math.sqrt(math.pi / 4 / DIGITS) * 1.12  # of a digit
MASS = 0.99  # of the prior, inside the disc
INK = 0.46  # the grey level of an edge
STEPS = 8000
COLOURS = {math.pi: "#2b6cb0", math.pi / 3: "#2f855a", -math.pi / 3: "#dd6b20"}
GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))


def train() -> GaussianVAE:
    """A VAE on the grey 8×8 digits, its latent a plane."""
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Flatten(), mlp([64, 256, 128, 4]))
    decoder = nn.Sequential(mlp([2, 128, 256, 64], nn.Tanh), nn.Unflatten(1, (1, 8, 8)))
    model = GaussianVAE(encoder, decoder, Bernoulli(), latent_size=2)
    data = (load("digits").train,)
    fit(model, data, steps=STEPS, batch_size=128, lr=lambda k: 1e-3 * (1 - k / STEPS))
    return model


def colour(angle: float, radius: float) -> str:
    """The three colours, each at its own angle, mixed in linear light; at the centre equally."""
    weight = np.exp([4 * radius * math.cos(angle - pole) for pole in COLOURS])
    rgb = np.array([list(bytes.fromhex(code[1:])) for code in COLOURS.values()]) / 255
    mixed = (weight @ rgb**2.2 / weight.sum()) ** (1 / 2.2)
    return "#" + "".join(f"{round(255 * value):02x}" for value in mixed)


def outline(image: np.ndarray, centre: np.ndarray, side: float) -> str:
    """The edge of the ink as an SVG path, `side` units wide around `centre`."""
    fine = zoom(np.pad(image, 1), 5, order=3)
    scale = side / len(fine)
    path = ""
    for line in contour_generator(z=fine).lines(INK):
        if len(line) > 8:
            points = np.rint(centre + (line[:-1:3] - (len(fine) - 1) / 2) * scale).astype(int)
            steps = " ".join(f"{dx},{dy}" for dx, dy in np.diff(points, axis=0))
            path += f"M{points[0][0]},{points[0][1]}l{steps}z"
    return path


def disc(decoder: nn.Module) -> str:
    """The picture, as an SVG."""
    index = np.arange(DIGITS)
    radius, angle = np.sqrt((index + 0.5) / DIGITS), index * GOLDEN_ANGLE
    unit = np.stack([np.cos(angle), np.sin(angle)], 1)
    z = np.sqrt(-2 * np.log1p(-MASS * radius**2))[:, None] * unit
    with torch.no_grad():
        images = decoder(torch.tensor(z, dtype=torch.float32)).sigmoid().numpy().reshape(-1, 8, 8)
    centres = SIZE / 2 + (SIZE - SIDE) / 2 * radius[:, None] * unit * [1, -1]
    paths = [
        f'<path fill="{colour(a, r)}" d="{outline(image, centre, SIDE)}"/>'
        for a, r, image, centre in zip(angle, radius, images, centres, strict=True)
    ]
    frame = f'viewBox="0 0 {SIZE} {SIZE}" fill-rule="evenodd"'
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" {frame}>', *paths, "</svg>\n"])


def lens(decoder: nn.Sequential) -> str:
    """What the lens reads: where the disc lies, its colours, and the decoder with one scale a linear layer."""
    layers, numbers = layers_of(nn.Sequential(decoder, nn.Sigmoid()))
    weights, start, scales, whole = np.frombuffer(numbers, "<f4"), 0, [], b""
    for layer in layers:
        if not isinstance(layer, str):
            size = (layer[0] + 1) * layer[1]
            part = weights[start : start + size]
            start, scale = start + size, float(np.abs(part).max() / 127)
            scales.append(float(f"{scale:.6g}"))
            whole += np.rint(part / scale).astype("i1").tobytes()
    given = {
        "reach": round((SIZE - SIDE) / 2 / SIZE, 5),
        "mass": MASS,
        "colours": [[angle, code] for angle, code in COLOURS.items()],
        "layers": layers,
        "scales": scales,
        "weights": b64encode(whole).decode(),
    }
    return json.dumps(given) + "\n"


def main() -> None:
    """Train, decode, draw."""
    decoder = train().decoder
    PICTURE.write_text(disc(decoder), "utf-8")
    DECODER.write_text(lens(decoder), "utf-8")


if __name__ == "__main__":
    main()
