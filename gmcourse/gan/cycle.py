"""CycleGAN: pictures of one domain made of another's, without pairs. Zhu et al. 2017."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, pairwise
from typing import Any

import torch
from torch import Generator, Tensor, nn

from gmcourse.gan.dcgan import Rescale
from gmcourse.gan.gan import adversarial
from gmcourse.gan.losses import Critic
from gmcourse.gan.pairs import pictures_apart
from gmcourse.gan.patch import patch_critic
from gmcourse.gan.pix2pix import PICTURES, pairs_of_pictures, rows_of
from gmcourse.nets import sampling
from gmcourse.record import Examples, held_then_falling_plan, shape_of

Map = Callable[[Tensor], Tensor]


def critic_squares(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    """½ E (h(real) − 1)² + ½ E h(fake)²: the targets are 1 and 0, the ½ slows the critic. Zhu et al. 2017, §4.

    Equation: gan-cycle-squares.
    """
    return 0.5 * (critic(real) - 1).square().mean() + 0.5 * critic(fake).square().mean()


def fooling_squares(critic: Critic, fake: Tensor) -> Tensor:
    """E (h(fake) − 1)². Zhu et al. 2017, §4. Equation: gan-cycle-squares."""
    return (critic(fake) - 1).square().mean()


def cycle_loss(to_b: Map, to_a: Map, a: Tensor, b: Tensor) -> Tensor:
    """E |F(G(a)) − a| + E |G(F(b)) − b|, G `to_b`, F `to_a`, means over entries and batch.

    Equation: gan-cycle. Zhu et al. 2017, eq. 2.
    """
    return (to_a(to_b(a)) - a).abs().mean() + (to_b(to_a(b)) - b).abs().mean()


def identity_loss(to_b: Map, to_a: Map, a: Tensor, b: Tensor) -> Tensor:
    """E |G(b) − b| + E |F(a) − a|: what is in the domain already is to stay. Zhu et al. 2017, §5.2."""
    return (to_b(b) - b).abs().mean() + (to_a(a) - a).abs().mean()


def mixed(fresh: Tensor, kept: Tensor, coin: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
    """(shown, kept): where `coin` is true a kept picture is shown, and the fresh one takes its place.

    `fresh` (batch, …), `kept` (size, …), `coin` (batch,) bool, `places` (batch,) in 0..size − 1.
    Shrivastava et al. 2017, §2.3.
    """
    shown = torch.where(coin.view(-1, *[1] * (fresh.dim() - 1)), kept[places], fresh)
    return shown, kept.index_put((places[coin],), fresh[coin])


class ImageBuffer(nn.Module):
    """`size` fakes of earlier steps, of which a critic is shown one in place of every second fresh fake.

    Until it is full, fresh fakes are shown, and kept. 0: fresh fakes alone.
    """

    pictures: Tensor
    filled: Tensor

    def __init__(self, shape: tuple[int, ...], size: int = 50):
        super().__init__()
        self.size = size
        self._next: tuple[int, Tensor] | None = None
        self.register_buffer("pictures", torch.zeros(size, *shape))
        self.register_buffer("filled", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def show(self, fresh: Tensor) -> Tensor:
        """What the critic is shown of `fresh`, (batch, *shape), by torch's global state; `keep` then keeps them."""
        fresh = fresh.to(self.pictures.dtype)
        room = self.size - int(self.filled) if self.size and not fresh.is_meta else 0
        if room or not self.size or fresh.is_meta:
            rows = min(room, len(fresh))
            begun = self.size - room
            self._next = begun + rows, torch.cat((self.pictures[:begun], fresh[:rows], self.pictures[begun + rows :]))
            return fresh
        coin = torch.rand(len(fresh), device=fresh.device) < 0.5
        places = torch.randint(self.size, (len(fresh),), device=fresh.device)
        shown, kept = mixed(fresh, self.pictures, coin, places)
        self._next = self.size, kept
        return shown

    @torch.no_grad()
    def keep(self) -> None:
        """Put what was last shown in its place; a second call changes nothing."""
        if self._next is not None:
            self.filled.fill_(self._next[0])
            self.pictures.copy_(self._next[1])
        self._next = None

    def extra_repr(self) -> str:
        return f"size={self.size}"


class CycleGAN(nn.Module):
    """G: A → B and F: B → A, each with a critic of its target, and F(G(a)) ≈ a, G(F(b)) ≈ b. Zhu et al. 2017, eq. 3.

    x are pictures of B, `given` pictures of A that belong to *other* rows; all in [0, 1], distances between them
    stretched to [−1, 1], as in the paper. The networks: `to_b`, `to_a`, `critic` of B, `critic_of_a`. `weight` λ is
    that of the cycle, `identity` that of the identity term, ½λ in the paper where it is used, and 0 where A and B have
    not the same channels. With `noise`, N(0, noise²) is added to G(a), in units of [−1, 1], before F sees it. `shapes`
    are those of one picture of A and of B; `size` that of the two buffers.
    """

    def __init__(
        self,
        to_b: nn.Module,
        to_a: nn.Module,
        critic: nn.Module,
        critic_of_a: nn.Module,
        shapes: tuple[tuple[int, ...], tuple[int, ...]],
        *,
        weight: float = 10.0,
        identity: float = 0.0,
        noise: float = 0.0,
        size: int = 50,
    ):
        super().__init__()
        for name, value in {"weight": weight, "identity": identity, "noise": noise, "size": size}.items():
            if value < 0:
                raise ValueError(f"{name}: got {value}, expected at least 0")
        if identity and shapes[0] != shapes[1]:
            raise ValueError(f"identity: got {identity} for pictures of shapes {shapes}, expected 0, or one shape")
        self.to_b, self.to_a, self.critic, self.critic_of_a = to_b, to_a, critic, critic_of_a
        self.weight, self.identity, self.noise = weight, identity, noise
        self.fakes_of_a, self.fakes_of_b = (ImageBuffer(shape, size) for shape in shapes)

    def critic_loss(self, x: Tensor, given: Tensor) -> dict[str, Tensor]:
        """The squares of both critics, on fakes of this step and of earlier ones."""
        with torch.no_grad():
            fakes = self.fakes_of_b.show(self.to_b(given)), self.fakes_of_a.show(self.to_a(x))
        return {
            "critic_of_b": critic_squares(self.critic, x, fakes[0]),
            "critic_of_a": critic_squares(self.critic_of_a, given, fakes[1]),
        }

    def generator_loss(self, x: Tensor, given: Tensor) -> dict[str, Tensor]:
        """ "fooling" both critics, λ times the "cycle", and the weighted "identity" where there is one."""
        there, back = self.to_b(given), self.to_a(x)
        fooling = fooling_squares(self.critic, there) + fooling_squares(self.critic_of_a, back)
        noised = there + 0.5 * self.noise * torch.randn_like(there) if self.noise else there
        cycle = (self.to_a(noised) - given).abs().mean() + (self.to_b(back) - x).abs().mean()
        terms = {"fooling": fooling, "cycle": 2 * self.weight * cycle}
        if self.identity:
            terms["identity"] = 2 * self.identity * identity_loss(self.to_b, self.to_a, given, x)
        return terms

    def after_step(self) -> None:
        """The buffers keep what the critics were last shown; training calls it after every update."""
        self.fakes_of_a.keep()
        self.fakes_of_b.keep()

    def sample(self, n: int, given: Tensor, *, rng: Generator | None = None) -> Tensor:
        """G(given) within [0, 1], (n, *event), of given, (n, …) or one row for all, (1, …); nothing is drawn."""
        with sampling(self, n, rng):
            return self.to_b(rows_of(given, n)).clamp(0, 1)

    def errors(self, x: Tensor) -> Tensor:
        """‖G(F(x)) − x‖², (batch,): what the way to A and back costs a picture of B."""
        return (self.to_b(self.to_a(x)) - x).square().flatten(1).sum(1)

    def critic_parameters(self) -> Iterator[nn.Parameter]:
        return chain(self.critic.parameters(), self.critic_of_a.parameters())

    def generator_parameters(self) -> Iterator[nn.Parameter]:
        return chain(self.to_b.parameters(), self.to_a.parameters())

    def extra_repr(self) -> str:
        return f"weight={self.weight}, identity={self.identity}, noise={self.noise}"


def translator(inputs: int, outputs: int, width: int = 32, depth: int = 4, reach: float = 1.1) -> nn.Sequential:
    """(batch, inputs, H, W) → (batch, outputs, H, W): `depth` convolutions of 3 × 3, ReLU, and ½ + ½ reach · tanh last.

    With a reach above 1, black and white are given where the tanh has a slope; with 1 they are its ends.
    """
    widths = [inputs, *[width] * (depth - 1), outputs]
    layers: list[nn.Module] = [Rescale(2.0, -1.0)]
    for before, after in pairwise(widths):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers[:-1], nn.Tanh(), Rescale(0.5 * reach, 0.5))


def small_cycle(
    a: tuple[int, int, int], b: tuple[int, int, int], width: int = 32, reach: float = 1.1, **options: Any
) -> CycleGAN:
    """For pictures of one size: each map a `translator` of `width`, each critic a `patch_critic` of two halvings."""
    networks = translator(a[0], b[0], width, reach=reach), translator(b[0], a[0], width, reach=reach)
    critics = patch_critic(b[0], width, 2), patch_critic(a[0], width, 2)
    return CycleGAN(*networks, *critics, (a, b), **options)


def make_cycle_gan(data: Examples | None = None) -> CycleGAN:
    """λ = 10 and no identity term; B are the pictures of the data. Without data: from grey 8 × 8 pictures to grey ones.

    A are labels that are pictures, else edges, of rows that are in no pair with those of B.
    """
    b = shape_of(data, (1, 8, 8))
    a = b if data is None else tuple(pictures_apart(data, "train")[1].shape[1:])
    return small_cycle((a[0], a[1], a[2]), (b[0], b[1], b[2]))


CYCLEGAN = adversarial(
    name="CycleGAN",
    key="cyclegan",
    paper="zhu2017",
    year=2017,
    arxiv="1703.10593",
    lesson="05_gan/07_translation",
    suits=PICTURES,
    make=make_cycle_gan,
    plan=partial(held_then_falling_plan, steps=1_000, batch_size=32, peak=2e-3, warm=100, betas=(0.5, 0.999)),
    example=pairs_of_pictures,
    pairs=pictures_apart,
)
