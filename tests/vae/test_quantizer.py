"""The quantiser against brute force, its gradients against finite differences, its means against sums done by hand."""

import copy
import math
import pickle

import pytest
import torch

from gmcourse.vae.quantizer import (
    VectorQuantizer,
    assigned,
    ema_step,
    nearest,
    perplexity,
    straight_through,
    usage,
)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def quantizer_with(book, **settings):
    quantizer = VectorQuantizer(*book.shape, **settings).to(book.dtype)
    with torch.no_grad():
        quantizer.book.copy_(book)
    return quantizer


# Nearest


@pytest.mark.parametrize("shape", [(3,), (7, 3), (2, 4, 3), (0, 3)])
def test_the_nearest_code_is_found_as_by_brute_force(shape):
    z, book = torch.randn(*shape, generator=seeded()), torch.randn(6, 3, generator=seeded(1))
    book[2] *= 10  # a long code wins every dot product
    expected = (z[..., None, :] - book).norm(dim=-1).argmin(-1)
    codes = nearest(z, book)
    assert codes.dtype == torch.int64
    assert torch.equal(codes, expected)


def test_of_equal_distances_the_first_code_is_taken():
    assert nearest(torch.tensor([[0.5]]), torch.tensor([[1.0], [0.0], [0.0]])).item() == 0


@pytest.mark.parametrize("offset", [0.0, 1_000.0, -5_000.0])
def test_the_nearest_is_found_far_from_the_origin(offset):
    z, book = torch.randn(500, 8, generator=seeded()), torch.randn(64, 8, generator=seeded(1))
    z, book = z + offset, book + offset  # from here on, what float32 can hold
    expected = torch.cdist(z.double(), book.double(), compute_mode="donot_use_mm_for_euclid_dist").argmin(1)
    assert (nearest(z, book) == expected).double().mean() > 0.995


def test_autocast_does_not_round_distances():
    z, book = torch.randn(2_000, 8, generator=seeded()), torch.randn(64, 8, generator=seeded(1))
    expected = nearest(z, book)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(nearest(z, book), expected)
        half = nearest(z.bfloat16(), book)
    assert torch.equal(half, nearest(z.bfloat16().float(), book))


@pytest.mark.parametrize("places", [(), (5,), (2, 3), (2, 3, 4)])
def test_a_quantiser_takes_any_number_of_places(places):
    quantizer = VectorQuantizer(6, 3, start="noise")
    z = torch.randn(2, 3, *places, generator=seeded())
    values, codes, terms = quantizer(z)
    assert values.shape == z.shape
    assert codes.shape == (2, *places)
    expected = quantizer.book[codes].movedim(-1, 1)
    assert torch.allclose(values, expected, atol=1e-6)
    assert torch.equal(quantizer.decode(codes), expected)
    assert torch.equal(quantizer.encode(z), codes)
    commitment = 0.25 * (z - expected).square().sum(1).mean()
    assert set(terms) == {"commitment"}
    assert terms["commitment"].item() == pytest.approx(commitment.item())


# Gradients


def test_the_straight_through_gradient_is_that_of_a_shifted_function():
    z, e = torch.randn(2, 3, 4, generator=seeded(), dtype=torch.float64)

    def f(v):
        return (v.sin() * v.roll(1, 1)).sum()

    z.requires_grad_()
    (gradient,) = torch.autograd.grad(f(straight_through(z, e)), z)
    step, offset = 1e-6, (e - z).detach()
    for i in range(3):
        for j in range(4):
            moved = torch.zeros_like(z)
            moved[i, j] = step
            slope = (f(z + moved + offset) - f(z - moved + offset)) / (2 * step)
            assert gradient[i, j].item() == pytest.approx(slope.item(), abs=1e-6)


def test_the_gradient_of_each_term_reaches_its_own_side_alone():
    quantizer = VectorQuantizer(4, 2, decay=None, commitment=0.5, start="noise").double()
    z = torch.randn(9, 2, generator=seeded(), dtype=torch.float64).requires_grad_()
    values, codes, terms = quantizer(z)
    n, sums = assigned(z.detach(), codes, 4)
    book = quantizer.book
    (to_z,) = torch.autograd.grad(terms["commitment"], z, retain_graph=True)
    assert torch.allclose(to_z, 2 * 0.5 * (z - book[codes]).detach() / 9)
    assert torch.autograd.grad(terms["commitment"], book, allow_unused=True, retain_graph=True) == (None,)
    (to_book,) = torch.autograd.grad(terms["codebook"], book, retain_graph=True)
    assert torch.allclose(to_book, 2 * (n[:, None] * book.detach() - sums) / 9)  # 2(e − mean)n, averaged
    assert torch.autograd.grad(terms["codebook"], z, allow_unused=True, retain_graph=True) == (None,)
    assert torch.autograd.grad(values.sum(), book, allow_unused=True) == (None,)


# Running means


TOY_N, TOY_SUMS = torch.tensor([2.0, 1.0]), torch.tensor([[3.0], [9.0]])
TOY_BOOK = torch.tensor([[0.0], [10.0]])


@pytest.mark.parametrize(
    ("count", "total", "codes"),
    [
        (torch.ones(2), TOY_BOOK, [1.0, 9.5]),
        (torch.zeros(2), torch.zeros(2, 1), [1.5, 9.0]),
        (torch.zeros(2), TOY_BOOK, [1.5, 19.0]),
    ],
)
def test_running_means_of_the_toy(count, total, codes):
    assert ema_step(count, total, TOY_N, TOY_SUMS, 0.5)[2].flatten().tolist() == pytest.approx(codes)


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.99])
def test_the_first_step_goes_to_the_means_whatever_the_decay(decay):
    quantizer = quantizer_with(TOY_BOOK, decay=decay, start="noise", restart=0).train()
    quantizer(torch.tensor([[1.0], [2.0], [9.0]]))
    assert torch.equal(quantizer.book, TOY_BOOK)
    quantizer.after_step()
    assert quantizer.book.flatten().tolist() == pytest.approx([1.5, 9.0])


def test_passes_before_a_step_are_added():
    z = torch.randn(107, 2, generator=seeded())
    whole, parts = (quantizer_with(z[:4], start="noise", restart=0) for _ in range(2))
    whole(z)
    parts(z[:100])
    parts(z[100:])
    for quantizer in (whole, parts):
        quantizer.after_step()
    assert parts.codebook.count.sum().item() == pytest.approx(1.07)
    assert torch.allclose(parts.book, whole.book, atol=1e-6)


def test_without_memory_a_step_is_lloyds():
    z = torch.randn(50, 2, generator=seeded(3))
    book = z[:4].clone()
    quantizer = quantizer_with(book, decay=0.0, start="noise", restart=0)
    for _ in range(5):
        codes = (z[:, None] - book).norm(dim=2).argmin(1)
        book = torch.stack([z[codes == k].mean(0) for k in range(4)])
        quantizer(z)
        quantizer.after_step()
        assert torch.allclose(quantizer.book, book, atol=1e-6)


def test_a_code_that_nothing_chooses_stays():
    book = torch.tensor([[0.0], [1.0], [100.0]])
    quantizer = quantizer_with(book, start="noise", restart=0, decay=0.9)
    for _ in range(2_000):  # its running count leaves the range of float32
        quantizer(torch.tensor([[0.1], [0.9]]))
        quantizer.after_step()
    assert quantizer.book.flatten().tolist() == pytest.approx([0.1, 0.9, 100.0])


def test_a_book_of_gradients_is_left_by_the_means():
    quantizer = quantizer_with(TOY_BOOK, decay=None, start="noise", restart=0)
    quantizer(torch.tensor([[1.0], [2.0], [9.0]]))
    quantizer.after_step()
    assert torch.equal(quantizer.book, TOY_BOOK)
    assert quantizer.book.requires_grad
    assert not VectorQuantizer(2, 1).book.requires_grad


# Starts and restarts


def test_it_starts_at_vectors_of_the_first_step():
    torch.manual_seed(0)
    quantizer = VectorQuantizer(5, 2)
    z = 100 + torch.randn(40, 2, generator=seeded())
    before = quantizer.book.clone()
    quantizer(z)
    assert torch.equal(quantizer.book, before)
    quantizer.after_step()
    assert (torch.cdist(quantizer.book, z).min(1).values < 0.1).all()
    assert len(quantizer.book.unique(dim=0)) == 5
    assert not quantizer.codebook.count.any()


@pytest.mark.parametrize("decay", [0.99, None])
def test_a_dead_code_is_put_on_a_vector_and_then_counts_as_a_fair_one(decay):
    torch.manual_seed(0)
    book = torch.tensor([[0.0, 0.0], [50.0, 50.0], [60.0, 60.0]])
    quantizer = quantizer_with(book, decay=decay, start="noise", restart=0.05)
    z = torch.randn(30, 2, generator=seeded())
    quantizer(z)
    quantizer.after_step()
    assert (torch.cdist(quantizer.book[1:], z).min(1).values < 0.1).all()
    assert torch.allclose(quantizer.codebook.count[1:] / quantizer.codebook.weight, torch.tensor(10.0))
    assert torch.allclose(
        quantizer.codebook.total[1:] / quantizer.codebook.count[1:, None], quantizer.book[1:], atol=1e-6
    )
    placed = quantizer.book[1:].clone()
    quantizer(z + 200 * (torch.arange(30) < 3)[:, None])
    quantizer.after_step()
    assert torch.isfinite(quantizer.book).all()
    assert not (torch.cdist(quantizer.book[1:], placed).min() > 60)


@pytest.mark.parametrize("vectors", [3, 1])
def test_more_dead_codes_than_vectors_are_parted_by_noise(vectors):
    torch.manual_seed(0)
    quantizer = VectorQuantizer(8, 2)
    quantizer(torch.randn(vectors, 2, generator=seeded()))
    quantizer.after_step()
    assert len(quantizer.book.unique(dim=0)) == 8


def test_evaluation_changes_nothing():
    quantizer = VectorQuantizer(4, 2)
    state = copy.deepcopy(quantizer.state_dict())
    z = torch.randn(9, 2, generator=seeded())
    quantizer.eval()(z)
    quantizer.after_step()
    with torch.no_grad():
        quantizer.train()(z)
    quantizer.after_step()
    quantizer(z[:0])
    quantizer.after_step()
    assert all(torch.equal(state[name], value) for name, value in quantizer.state_dict().items())


def test_a_quantiser_is_repeated_by_its_seed_state_and_copies():
    def run(quantizer, rounds):
        for seed in rounds:
            torch.manual_seed(seed)
            quantizer(torch.randn(20, 2, generator=seeded(seed)))
            quantizer.after_step()
        return quantizer.book

    torch.manual_seed(0)
    first = VectorQuantizer(6, 2)
    second = pickle.loads(pickle.dumps(first))
    whole = run(first, range(6))
    run(second, range(3))
    third = VectorQuantizer(6, 2)
    third.load_state_dict(second.state_dict())
    assert torch.equal(run(third, range(3, 6)), whole)
    assert repr(first) == repr(third)


# Usage


def test_usage_and_perplexity():
    codes = torch.tensor([[0, 0], [2, 2]])
    assert usage(codes, 4).tolist() == [0.5, 0, 0.5, 0]
    assert perplexity(codes, 4) == pytest.approx(2.0)
    assert perplexity(torch.arange(7), 7) == pytest.approx(7.0)
    assert perplexity(torch.zeros(5, dtype=torch.int64), 7) == 1.0
    uneven = torch.tensor([0, 0, 0, 1])
    assert math.log(perplexity(uneven, 2)) == pytest.approx(0.75 * math.log(4 / 3) + 0.25 * math.log(4))


# Refusals


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"size": 0}, "size, dims: got 0 and 2"),
        ({"decay": 1.0}, "decay: got 1.0"),
        ({"commitment": -1.0}, "commitment: got -1.0"),
        ({"restart": 1.0}, "restart: got 1.0"),
        ({"start": "zeros"}, "start: got 'zeros'"),
    ],
)
def test_wrong_settings_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        VectorQuantizer(**{"size": 4, "dims": 2, **settings})


def test_wrong_input_is_refused():
    quantizer = VectorQuantizer(4, 2)
    with pytest.raises(ValueError, match=r"z: got shape \(5, 3\), expected \(batch, 2"):
        quantizer(torch.zeros(5, 3))
    with pytest.raises(TypeError, match="codes: got torch.float32"):
        quantizer.decode(torch.zeros(3))
    with pytest.raises(ValueError, match="z, book: got shapes"):
        nearest(torch.zeros(5, 3), torch.zeros(4, 2))
    with pytest.raises(ValueError, match="codes: got 0 to 5, expected 0 to 2"):
        usage(torch.tensor([0, 5]), 3)
    with pytest.raises(ValueError, match="codes: got shape"):
        usage(torch.zeros(0, dtype=torch.int64), 3)
