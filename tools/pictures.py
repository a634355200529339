"""Draw the picture of each chapter page from a model trained on the spot. Run: python tools/pictures.py [name …]

A picture is a fragment of HTML, chapters/NN_family/picture.html: panels in SVG, in the colours of the page's theme,
each with its words, beside one another where there is room. Data, model and samples have the colours of the course.
"""

import math
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from contourpy import FillType, contour_generator
from torch import Tensor, nn

from gmcourse.autoencoders import deep_autoencoder
from gmcourse.catalogue import find
from gmcourse.data import load
from gmcourse.metrics import density_coverage, fidelity, frechet_distance, nearest_share, precision_recall
from gmcourse.nets import mlp
from gmcourse.schedules import held_then_falling
from gmcourse.scores.langevin import annealed_langevin
from gmcourse.scores.levels import geometric_levels
from gmcourse.scores.mixture import NoisedMixture
from gmcourse.training import adam_pair, fit, fit_adversarial
from gmcourse.vae import GaussianVAE
from gmcourse.vae.likelihoods import Bernoulli

CHAPTERS = Path(__file__).resolve().parents[1] / "chapters"
SIZE = 360  # of a panel, in its own units
HALVED = 1  # of the test digits: which one loses its lower half


class Panel:
    """A square window on the plane, of half-width `extent`: marks are added in order, then it is written as SVG."""

    def __init__(self, extent: float, centre: np.ndarray | float = 0.0):
        self.extent, self.centre, self.marks = extent, centre, []

    def path(self, lines: list[np.ndarray], kind: str, closed: bool = False, opacity: float | None = None) -> None:
        steps = ["M" + "L".join(f"{x:.0f},{y:.0f}" for x, y in self.placed(line)) for line in lines if len(line) > 1]
        seen = "" if opacity is None else f' fill-opacity="{opacity:.2f}"'
        if steps:
            self.marks.append(f'<path class="{kind}"{seen} d="{"".join(s + "z" * closed for s in steps)}"/>')

    def dots(self, points: Tensor, kind: str, width: float = 5) -> None:
        """Points as strokes without length, with round ends."""
        places = [f"M{x:.0f},{y:.0f}h0" for x, y in self.placed(points.numpy()) if 0 <= x <= SIZE and 0 <= y <= SIZE]
        self.marks.append(f'<path class="dots {kind}" stroke-width="{width}" d="{"".join(places)}"/>')

    def shade(self, axis: np.ndarray, values: np.ndarray, levels: list[float], ink: float) -> None:
        """Fills above each level, one over the other; `values` (y, x); `ink` is what their opacities sum to."""
        lines = contour_generator(axis, axis, values, fill_type=FillType.OuterOffset)
        for low in levels:
            parts, offsets = lines.filled(low, np.inf)
            rings = [part[a:b] for part, o in zip(parts, offsets) for a, b in zip(o[:-1], o[1:])]
            self.path(rings, "model-fill", closed=True, opacity=ink / len(levels))

    def placed(self, points: np.ndarray) -> np.ndarray:
        return SIZE / 2 + (points - self.centre) * [1, -1] * SIZE / 2 / self.extent

    def svg(self, words: str, alt: str) -> str:
        inside = "\n".join(
            [f'<rect class="frame" x="0.5" y="0.5" width="{SIZE - 1}" height="{SIZE - 1}" rx="8"/>', *self.marks]
        )
        svg = f'<svg viewBox="0 0 {SIZE} {SIZE}" role="img" aria-label="{alt}" fill-rule="evenodd">\n{inside}\n</svg>'
        return f"<div>{svg}<p>{words}</p></div>"


def figure(panels: list[str], caption: str) -> str:
    return (
        '<figure class="chapter-picture">\n<div class="panels">\n'
        + "\n".join(panels)
        + f"\n</div>\n<figcaption>{caption}</figcaption>\n</figure>\n"
    )


def taxonomy() -> str:
    """A histogram of two moons, asked three things: a sample, how probable some points are, and the rest of a point."""
    moons = load("two-moons")
    model = find("histogram").build(moons).count(moons.train)
    edges, mass = model.edges.numpy(), model.logits.detach().flatten().softmax(0).view(model.logits.shape).numpy()
    centre = edges.mean(1)
    extent = 1.04 * np.abs(edges - centre[:, None]).max()
    places = [Panel(extent, centre) for _ in range(3)]
    for panel in places:
        _cells(panel, edges, mass / mass.max() * (0.8 if panel is not places[2] else 0.25))
    places[0].dots(model.sample(400, rng=torch.Generator().manual_seed(0)), "samples-stroke")
    for x in ([0.0, 1.0], [0.4, -0.5], [1.6, 0.9]):
        score = model.log_prob(torch.tensor([x])).item()
        at = places[1].placed(np.array([x]))[0]
        places[1].dots(torch.tensor([x]), "data-stroke", 12)
        places[1].marks.append(f'<text class="said" x="{at[0] + 10:.0f}" y="{at[1] + 5:.0f}">{_signed(score)}</text>')
    column = int(np.searchsorted(edges[0], 0.0)) - 1
    rest = np.zeros_like(mass)
    rest[column] = mass[column] / mass[column].max()
    _cells(places[2], edges, rest)
    side = np.array([[edges[0, column], edges[1, 0]], [edges[0, column], edges[1, -1]]])
    across = np.array([edges[0, column + 1] - edges[0, column], 0])
    places[2].path([np.concatenate([side, side[::-1] + across])], "judge", closed=True)
    said = ("Draw more of these.", "How probable is this point? (ln p)", "One coordinate is known: where is the other?")
    alts = (
        "Samples of a histogram lie on two moons.",
        "Three points with their log-densities: high on a moon, lower at its edge, lowest outside.",
        "One column of the histogram is lit, in two places, where the two moons cross it.",
    )
    caption = (
        "One <b class='tag-model'>model</b>, three questions. It is a histogram of two moons: a table that says how "
        "much probability lies in each cell. From the same table come <b class='tag-samples'>samples</b>, the "
        "log-density of any <b class='tag-data'>point</b>, and the distribution of what is missing. Each cell was "
        "given half a count in advance, so that no place is impossible: hence the few stray samples. The families of "
        "this course differ in which of these questions they can answer, and at what price."
    )
    return figure([panel.svg(*words) for panel, *words in zip(places, said, alts)], caption)


def _cells(panel: Panel, edges: np.ndarray, ink: np.ndarray) -> None:
    """Each cell of a grid, edges (2, bins + 1), as a square with this much ink, (bins, bins), where there is any."""
    for i, j in zip(*np.nonzero(ink > 0.01)):
        x, y = edges[0, [i, i + 1, i + 1, i]], edges[1, [j, j, j + 1, j + 1]]
        panel.path([np.stack([x, y], 1)], "model-fill", closed=True, opacity=ink[i, j])


def autoregressive() -> str:
    """The upper half of a digit, where the lower half's ink would lie, and three lower halves with their odds."""
    torch.manual_seed(0)
    digits = load("binarized-digits")
    record = find("pixelcnn")
    model = record.build(digits)
    fit(model, (digits.train,), **record.recipe(digits, steps=1500))
    known = torch.zeros(digits.event_shape, dtype=torch.bool)
    known[:, : known.shape[1] // 2] = True
    x = digits.test[HALVED].expand(400, -1, -1, -1)
    drawn = model.complete(x, known, rng=torch.Generator().manual_seed(0))
    ways = len(drawn.flatten(1).unique(dim=0))
    said = f"400 lower halves, {ways} of them different: where the ink lies"
    panels = [_half(drawn.mean(0)[0], known[0], "model-fill", said)]
    with torch.no_grad():
        scores = model.log_prob_given(drawn, known)
    for row in (0, 1, 2):
        words = f"one of them: ln p(lower | upper) = {_signed(scores[row])}"
        panels.append(_half(drawn[row, 0], known[0], "samples-fill", words))
    caption = (
        "The upper half of a handwritten digit is <b class='tag-data'>given</b>; an autoregressive model, drawing one "
        "pixel after another, finishes it as often as we like. First: in what share of the lower halves each pixel has "
        "ink, according to the <b class='tag-model'>model</b>. Then three <b class='tag-samples'>samples</b>, each "
        "with its exact log-probability, in nats. The digit was held out of the training."
    )
    return figure(panels, caption)


def _half(image: Tensor, known: Tensor, kind: str, words: str) -> str:
    """A digit as squares: known pixels in the colour of data, the others with as much ink as they have."""
    panel, pixel = Panel(1.0), SIZE / 9
    _ink(panel, image * known, "data-fill")
    _ink(panel, image * ~known, kind)
    cut = (known.any(1).sum().item() + 0.5) * pixel
    panel.marks.append(f'<path class="judge" d="M{pixel / 2:g},{cut:g}h{8 * pixel:g}"/>')
    return panel.svg(words, f"A digit of 8 by 8 pixels, its upper half given; {words}")


def autoencoders() -> str:
    """Nine digits, the same through a code of eight numbers, and what the decoder draws at codes of two laws."""
    torch.manual_seed(0)
    digits, rng = load("digits"), torch.Generator().manual_seed(0)
    model = deep_autoencoder(digits.event_shape, 8)
    held = torch.cat([digits.test, digits.valid])
    fit(model, (digits.train,), steps=2500, batch_size=128, lr=held_then_falling(2e-3, 2500))
    with torch.no_grad():
        codes = model.encode(digits.train)
        noise = torch.randn(len(held), codes.shape[1], generator=rng)
        pushed = noise @ torch.linalg.cholesky(codes.T.cov()).T + codes.mean(0)
        drawn = [model.decode(z).clamp(0, 1) for z in (model.encode(held), noise, pushed)]
    said = ("the same, each through 8 numbers", "codes from N(0, I)", "codes from a Gaussian fitted to them")
    panels = [_nine(held, "data-fill", "digits held out of the training")]
    for pictures, words in zip(drawn, said):
        distance = fidelity(held, pictures).frechet
        panels.append(_nine(pictures, "samples-fill", f"{words}: Fréchet distance {distance:.0f}"))
    floor = fidelity(held, digits.train).frechet
    caption = (
        "An autoencoder was trained to give each digit back through a code of eight numbers. <b class='tag-data'>Digits"
        "</b> that it has never seen come back well. It was never told which codes there are: at random codes its "
        "decoder <b class='tag-samples'>draws</b> something all the same. Distances are those of 540 pictures to 540 "
        f"held-out digits, in the features of the course's classifier; digits of the training have {floor:.0f}."
    )
    return figure(panels, caption)


def _nine(pictures: Tensor, kind: str, words: str) -> str:
    """The first nine of a batch of 8 × 8 pictures, in three rows."""
    sheet = nn.functional.pad(pictures[:9, 0], (0, 1, 0, 1)).view(3, 3, 9, 9).transpose(1, 2).reshape(27, 27)
    panel = Panel(1.0)
    _ink(panel, sheet, kind)
    return panel.svg(words, f"Nine pictures: {words}.")


def _ink(panel: Panel, picture: Tensor, kind: str) -> None:
    """A square picture in a panel, each pixel with as much ink as it has."""
    pixel = SIZE / (len(picture) + 1)
    for (y, x), ink in zip(np.ndindex(*picture.shape), picture.flatten().tolist()):
        if ink > 0.02:
            place = f'x="{(x + 0.5) * pixel:.0f}" y="{(y + 0.5) * pixel:.0f}" width="{pixel:.0f}" height="{pixel:.0f}"'
            panel.marks.append(f'<rect class="{kind}" fill-opacity="{ink:.2f}" {place}/>')


def vae() -> str:
    """Three digits, the exact posterior of each over the latent plane, and the Gaussian that the encoder names."""
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Flatten(), mlp([64, 256, 128, 4]))
    decoder = nn.Sequential(mlp([2, 128, 256, 64], nn.Tanh), nn.Unflatten(1, (1, 8, 8)))
    model = GaussianVAE(encoder, decoder, Bernoulli(), latent_size=2)
    digits = load("binarized-digits")
    fit(model, (digits.train,), steps=5000, batch_size=128, lr=lambda k: 1e-3 * (1 - k / 5000))
    with torch.no_grad():
        log_joint, axis = _log_joint(model, digits.test)
        evidence = log_joint.logsumexp(1) + 2 * math.log(axis[1] - axis[0])
        weights = model.log_weights(digits.test, 2000, rng=torch.Generator().manual_seed(0))
        gap = evidence - weights.mean(0)
        mean, log_std = model.encode(digits.test)
    order, panels = gap.argsort(), []
    for row in (order[len(order) // 20], order[len(order) // 2], order[-len(order) // 50]):
        density = (log_joint[row] - log_joint[row].max()).exp().view(len(axis), len(axis))
        grid = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), -1)
        centre = (density[..., None] * grid).sum((0, 1)) / density.sum()
        panel = Panel(1.3, centre.numpy())
        panel.shade(axis.numpy(), density.T.numpy(), [0.01, 0.1, 0.3, 0.6, 0.85], 0.9)
        panel.path([_ellipse(mean[row], log_std[row].exp(), k) for k in (1, 2)], "judge", closed=True)
        panel.marks.append(_pixels(digits.test[row, 0], 64))
        bound = f"ln p(x) = {_signed(evidence[row])}, the bound {_signed(evidence[row] - gap[row])}"
        panels.append(panel.svg(bound, f"A digit, its posterior in the latent plane, and an ellipse. {bound}."))
    caption = (
        "Where in the latent plane could each of three digits come from? <b class='tag-model'>Shaded:</b> the exact "
        "posterior p(z|x), summed over a grid, which only so small a latent allows. <b>Outlined:</b> the Gaussian that "
        "the encoder names instead, at one and two standard deviations. The worse it fits, the further the bound lies "
        "below the evidence: one digit in twenty fits as well as the first, half fit better than the second, one in "
        "fifty as badly as the third. Windows 2.6 wide; binary 8 × 8 digits held out of the training; nats."
    )
    return figure(panels, caption)


def _log_joint(model: GaussianVAE, x: Tensor, extent: float = 5.0, cells: int = 201) -> tuple[Tensor, Tensor]:
    """ln p(x, z) of each row at the points of a grid, (rows, cells²), z₁ first; and its axis."""
    axis = torch.linspace(-extent, extent, cells)
    z = torch.cartesian_prod(axis, axis)
    logits = model.decoder(z).flatten(1)
    log_likelihood = x.flatten(1) @ logits.T - nn.functional.softplus(logits).sum(1)
    return log_likelihood - 0.5 * (z**2).sum(1) - math.log(2 * math.pi), axis


def _ellipse(mean: Tensor, std: Tensor, times: float) -> np.ndarray:
    angle = torch.linspace(0, 2 * math.pi, 49)[:-1]
    return (mean + times * std * torch.stack([angle.cos(), angle.sin()], 1)).numpy()


def _pixels(image: Tensor, side: float, at: float = 14) -> str:
    """A small binary image in the corner of a panel."""
    pixel = side / 8
    squares = "".join(
        f"M{at + x * pixel:g},{at + y * pixel:g}h{pixel:g}v{pixel:g}h-{pixel:g}z" for y, x in image.nonzero().tolist()
    )
    return f'<path class="data-fill" d="{squares}"/>'


def _signed(value: float | Tensor) -> str:
    return f"{float(value):.1f}".replace("-", "−")


def gan() -> str:
    """Four moments of a game on a ring: the data, the samples, and where the discriminator pushes them."""
    torch.manual_seed(0)
    ring = load("ring-of-8")
    model = find("r1-gan").build(ring)
    optimizers = adam_pair(model)
    moments, at, panels = (0, 100, 400, 4000), 0, []
    noise = torch.randn(240, 2, generator=torch.Generator().manual_seed(1))
    axis = torch.linspace(-1.6, 1.6, 37) * _width(ring.train)
    for moment in moments:
        if moment > at:
            rate = {"lr": 1e-3, "optimizers": optimizers, "seed": moment}
            fit_adversarial(model, (ring.train,), steps=moment - at, batch_size=256, **rate)
            at = moment
        panel = Panel(1.6 * _width(ring.train))
        samples = model.generator(noise).detach().requires_grad_()
        (push,) = torch.autograd.grad(model.critic(samples).sum(), samples)
        with torch.no_grad():
            points = torch.cartesian_prod(axis, axis)
            real = model.critic(points).sigmoid().view(len(axis), len(axis)).numpy()
        panel.shade(axis.numpy(), real.T, [0.1, 0.3, 0.5, 0.7, 0.9], 0.6)
        panel.dots(ring.train[:240], "data-stroke")
        panel.path(_arrows(samples.detach()[:90], push[:90], 0.3 * _width(ring.train)), "push")
        panel.dots(samples.detach(), "samples-stroke", 6)
        words = "before the first step" if not moment else f"after {moment:,} steps"
        panels.append(panel.svg(words, f"Data on a ring of eight, samples, and the discriminator, {words}."))
    caption = (
        "A game on a ring of eight. <b class='tag-data'>Data</b> and <b class='tag-samples'>samples</b> lie upon what "
        "the <b class='tag-model'>discriminator</b> believes, stronger where it calls a point real. A tail shows the "
        "way in which its gradient pushes a sample: all that the generator is ever told. Where data and samples agree, "
        "it pushes no more."
    )
    return figure(panels, caption)


def _width(points: Tensor) -> float:
    return points.abs().max().item()


def _arrows(points: Tensor, push: Tensor, longest: float) -> list[np.ndarray]:
    """A line from each point along its push; lengths are compressed so that none is longer than `longest`."""
    size = push.norm(dim=1, keepdim=True)
    ends = points + push / size.clamp_min(1e-9) * longest * torch.tanh(3 * size)
    return list(torch.stack([points, ends], 1).numpy())


def flows() -> str:
    """The prior, cut into cells of equal mass, carried to the data by a flow: four moments on the way."""
    torch.manual_seed(0)
    moons = load("two-moons")
    model = find("flow-matching").build(moons)
    data = (moons.train - moons.train.mean(0)) / moons.train.std(0)
    fit(model, (data,), **find("flow-matching").recipe(moons, steps=6000))
    rings, spokes, fine = 6, 16, 6
    radius = torch.sqrt(-2 * torch.log1p(-torch.arange(rings * fine + 1) / (rings * fine) * 0.98))
    angle = torch.arange(spokes * fine + 1) * 2 * math.pi / (spokes * fine)
    mesh = radius[:, None, None] * torch.stack([angle.cos(), angle.sin()], 1)
    panels = []
    for t in (0.0, 0.35, 0.7, 1.0):
        with torch.no_grad():
            at = integrate_to(model.field, mesh.view(-1, 2), t).view(mesh.shape).double()
        panels.append(_mesh_panel(at, data, t, fine))
    caption = (
        f"A Gaussian, cut into {rings * spokes} cells that hold equal shares of its mass, and carried to the "
        "<b class='tag-data'>data</b> by a flow that was trained on them. A cell may bend and stretch, but it never "
        "tears, never meets another, and keeps its share: where it shrinks, the <b class='tag-model'>density</b> rises "
        "by as much."
    )
    return figure(panels, caption)


def integrate_to(field: nn.Module, z: Tensor, end: float, steps: int = 64) -> Tensor:
    """z carried along the field from t = 0 to `end`, by midpoint steps."""
    h = end / steps
    for k in range(steps):
        half = z + h / 2 * field(torch.tensor(k * h), z)
        z = z + h * field(torch.tensor((k + 0.5) * h), half)
    return z


def _mesh_panel(mesh: Tensor, data: Tensor, t: float, fine: int) -> str:
    panel = Panel(2.9)
    if t == 1:
        panel.dots(data[:300], "data-stroke", 4)
    for i in range(0, mesh.shape[0] - 1, fine):
        for j in range(0, mesh.shape[1] - 1, fine):
            sides = mesh[i : i + fine + 1, j : j + fine + 1]
            edge = torch.cat([sides[:, 0], sides[-1, 1:], sides[:-1, -1].flip(0), sides[0, 1:-1].flip(0)])
            x, y = edge.T
            area = 0.5 * (x * y.roll(-1) - y * x.roll(-1)).sum().abs().item()
            panel.path([edge.numpy()], "cell-of-mass", closed=True, opacity=min(0.85, 0.02 / area))
    words = {0.0: "t = 0: noise", 1.0: "t = 1: data"}.get(t, f"t = {t}")
    return panel.svg(words, f"A round mesh of cells, bent towards two moons, {words}.")


def scores() -> str:
    """Walkers on their way from noise to two moons, with the score that moves them at four levels of noise."""
    moons, rng = load("two-moons").train[:400].double(), torch.Generator().manual_seed(1)
    centre = moons.mean(0)
    exact = NoisedMixture((moons - centre) / _width(moons - centre), 0.05)
    sigmas, shown = geometric_levels(3.0, 0.03, 40), (9, 17, 25, 39)
    walkers = sigmas[0] * torch.randn(260, 2, generator=rng, dtype=torch.float64)
    axis, panels = torch.linspace(-1.2, 1.2, 13, dtype=torch.float64), []
    places = torch.cartesian_prod(axis, axis)
    for k, sigma in enumerate(sigmas.tolist()):
        walkers = annealed_langevin(exact.score, walkers, [sigma], 10, 0.1, rng=rng)
        if k in shown:
            panel = Panel(1.4)
            panel.dots(exact.means[:240], "data-stroke")
            panel.path(_arrows(places, sigma * exact.score(places, sigma) / 3, 0.16), "push")
            panel.dots(walkers, "samples-stroke", 6)
            words = f"noise of standard deviation {sigma:.2g}"
            panels.append(panel.svg(words, f"Two moons, walkers, and the score that moves them, {words}."))
    caption = (
        "Falling noise. The arrows are the <b class='tag-model'>score</b>, the slope of the log-density, of the "
        "<b class='tag-data'>data</b> with noise on them. <b class='tag-samples'>Walkers</b> follow it, and tremble. "
        "Under much noise one hill is all that there is, and everyone finds it; as the noise falls, the hill becomes "
        "two moons, and the walkers are already there."
    )
    return figure(panels, caption)


def comparison() -> str:
    """Two moons and four sets of fakes, each of which fools a measure; the measures of 100 against 100 points."""
    points = load("two-moons").density.sample(1500, rng=torch.Generator().manual_seed(0)).double()
    train, held = points[:100], points[100:200]
    middle, root = held.mean(0), torch.linalg.cholesky(held.T.cov())
    noise = torch.randn(100, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    noise = torch.linalg.solve(torch.linalg.cholesky(noise.T.cov()), (noise - noise.mean(0)).T).T  # moments 0 and I
    far = middle + torch.tensor([1.4, 1.4])
    strewn = middle + 0.1 * noise @ root.T
    strewn[:4] = middle + torch.tensor([[1.6, 1.6], [1.6, -1.6], [-1.6, 1.6], [-1.6, -1.6]])
    ways = (
        ("the data's two moments", "Fréchet distance", held, middle + noise @ root.T),
        ("one real point far out", "precision", torch.cat([far[None], held[1:]]), far + 0.06 * noise),
        ("a clump, 4 % strewn", "recall", held, strewn),
        ("the training points", "precision", held, train),
    )
    panels = [_fooled_panel(words, name, real, fake, train, middle.numpy()) for words, name, real, fake in ways]
    caption = (
        "<b class='tag-data'>Data</b>, and four kinds of <b class='tag-samples'>samples</b> that nobody wants. Each "
        "has a number that looks excellent, and another one that tells. No measure sees all faults: the chapter begins "
        "by asking each what it sees."
    )
    return figure(panels, caption)


def _fooled_panel(words: str, fooled: str, real: Tensor, fake: Tensor, train: Tensor, middle: np.ndarray) -> str:
    panel = Panel(1.85, middle)
    panel.dots(real, "data-stroke")
    panel.dots(fake, "samples-stroke", 6)
    precision, recall = precision_recall(real, fake)
    numbers = {
        "Fréchet distance": f"{abs(frechet_distance(real, fake)):.2f}",
        "precision": f"{precision:.2f}",
        "recall": f"{recall:.2f}",
        "coverage": f"{density_coverage(real, fake)[1]:.2f}",
        "nearest share": f"{nearest_share(fake, train, real):.2f}",
    }
    telling = "nearest share" if fake is train else {"Fréchet distance": "precision"}.get(fooled, "coverage")
    said = f"{fooled} {numbers[fooled]}, {telling} {numbers[telling]}"
    return panel.svg(f"{words}: {said}", f"Two moons of data, and samples: {words}; {said}.")


def write(folder: str, text: str) -> None:
    """Put the fragment in its chapter's folder, whole or not at all."""
    target = CHAPTERS / folder / "picture.html"
    temporary = target.with_suffix(".tmp")
    temporary.write_text(text, "utf-8")
    os.replace(temporary, target)


PICTURES: dict[str, tuple[str, Callable[[], str]]] = {
    "taxonomy": ("01_taxonomy", taxonomy),
    "autoregressive": ("02_autoregressive", autoregressive),
    "autoencoders": ("03_autoencoders", autoencoders),
    "vae": ("04_vae", vae),
    "gan": ("05_gan", gan),
    "flows": ("06_flows", flows),
    "scores": ("07_scores", scores),
    "comparison": ("08_comparison", comparison),
}

if __name__ == "__main__":
    for name in sys.argv[1:] or PICTURES:
        folder, draw = PICTURES[name]
        write(folder, draw())
