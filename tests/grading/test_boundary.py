"""Every exercise across the boundary: the same verdicts as in one process; and what a boundary must get right."""

import math
from functools import partial

import pytest
import torch

from gmcourse.exercises import EXERCISES, check
from gmcourse.grading.calling import answer_of
from tests.grading.forked import forked, held


def untouched(exercise):
    namespace = {}
    exec(exercise.stub, namespace)
    return namespace[exercise.name]


@pytest.mark.parametrize("id", EXERCISES)
def test_an_exercise_is_judged_as_in_one_process(id):
    exercise = EXERCISES[id]
    right = partial(exercise.reference) if callable(exercise.reference) else exercise.reference
    verdict, cause = held(id, right)
    assert (verdict.status, verdict.points, cause) == ("correct", exercise.points, ""), verdict
    assert held(id, untouched(exercise))[0].status == "not attempted"
    for answer, known in exercise.wrong:
        here, (there, cause) = check(id, answer), held(id, answer)
        assert (there.status, there.law, there.hint) == (here.status, here.law, here.hint), (here, there)
        assert there.status == "wrong"
        assert there.hint == (exercise.causes.get(cause) or there.hint)
        assert exercise.causes.get(known, "") in ("", there.hint)


def remote(answer):
    """The context in which an answer of this process is called in another one."""
    return forked(answer)


def called(answer, *given, **named):
    with forked(answer) as peer:
        function, _ = answer_of(peer, {})
        return function(*given, **named)


def test_the_answer_runs_in_another_process():
    import os

    assert called(lambda x: os.getpid(), 1) != os.getpid()


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        3,
        -0.0,
        math.inf,
        "ü\n",
        [1, [2.5]],
        (1, "a"),
        {"a": [1], 2: None},
        {1, 2},
        frozenset("ab"),
        2 + 1j,
        range(3),
    ],
)
def test_plain_values_come_back_as_they_were(value):
    again = called(lambda x: x, value)
    assert again == value
    assert type(again) is type(value)
    assert repr(again) == repr(value)


@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.bool, torch.complex64]
)
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3)])
def test_tensors_come_back_as_they_were(dtype, shape):
    tensor = torch.arange(math.prod(shape)).reshape(shape).to(dtype)
    again = called(lambda x: x, tensor)
    assert again.dtype == dtype
    assert torch.equal(again, tensor)


def test_gradients_of_first_second_and_third_order():
    x = torch.tensor([0.3, 1.2], dtype=torch.float64, requires_grad=True)
    with remote(lambda x: (x**4).sum()) as peer:
        function, _ = answer_of(peer, {})
        value, orders = function(x), []
        for _ in range(3):
            (value,) = torch.autograd.grad(value.sum(), x, create_graph=True)
            orders.append(value.detach())
    expected = [4 * x**3, 12 * x**2, 24 * x]
    assert all(torch.allclose(a, b.detach()) for a, b in zip(orders, expected, strict=True))


def test_gradients_pass_through_a_function_of_the_law_and_its_parameters():
    w = torch.tensor(2.0, requires_grad=True)
    x = torch.tensor([1.0, 3.0], requires_grad=True)

    def penalty(f, x):
        x = x.clone()
        (slope,) = torch.autograd.grad(f(x).sum(), x, create_graph=True)
        return (slope**2).sum()

    with remote(penalty) as peer:
        function, _ = answer_of(peer, {})
        loss = function(lambda x: w * x**2, x)  # Σ (2wx)²
        by_w, by_x = torch.autograd.grad(loss, (w, x))
    assert torch.allclose(by_w, 8 * w.detach() * (x.detach() ** 2).sum())
    assert torch.allclose(by_x, 8 * w.detach() ** 2 * x.detach())


@pytest.mark.parametrize(
    "answer",
    [
        lambda f, x: torch.func.vmap(torch.func.grad(lambda row: f(row[None])[0]))(x),
        lambda f, x: torch.func.vmap(torch.func.jacrev(lambda row: f(row[None])))(x)[:, 0],
        lambda f, x: torch.func.vjp(f, x)[1](torch.ones(len(x)))[0],
        lambda f, x: torch.stack([torch.func.jvp(f, (x,), (e.expand_as(x),))[1] for e in torch.eye(x.shape[1])], 1),
        lambda f, x: torch.autograd.functional.jacobian(lambda x: f(x).sum(), x),
    ],
    ids=["vmap of grad", "jacrev", "vjp", "jvp", "jacobian"],
)
def test_transforms_of_a_function_of_the_law(answer):
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    found = called(answer, lambda x: x.sin().sum(1) * x[:, 0], x)
    again = answer(lambda x: x.sin().sum(1) * x[:, 0], x)
    assert torch.allclose(found, again, atol=1e-6)


def test_what_an_answer_does_to_its_arguments_is_done():
    x, rows, rng = torch.ones(3), [1, 2], torch.Generator().manual_seed(3)
    net = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(net.parameters(), 0.5)
    before = net.weight.detach().clone()

    def answer(x, rows, rng, net, optimizer):
        x += 1
        rows.append(3)
        torch.rand(2, generator=rng)
        net.eval()
        net(torch.ones(1, 2)).sum().backward()
        optimizer.step()

    called(answer, x, rows, rng, net, optimizer)
    assert x.tolist() == [2, 2, 2]
    assert rows == [1, 2, 3]
    other = torch.Generator().manual_seed(3)
    torch.rand(2, generator=other)
    assert torch.equal(rng.get_state(), other.get_state())
    assert not net.training
    assert torch.allclose(net.weight.detach(), before - 0.5)
    assert net.weight.grad is not None


def test_an_object_of_the_answers_own_comes_back_to_it():
    class Cache:
        count = 0

    def answer(cache):
        cache = Cache() if cache is None else cache
        cache.count += 1
        return cache, cache.count

    with remote(answer) as peer:
        function, _ = answer_of(peer, {})
        cache, first = function(None)
        assert type(cache).__name__ == "Cache"
        assert not hasattr(cache, "count")
        assert (first, function(cache)[1]) == (1, 2)


def test_an_error_of_the_law_passes_through_the_answer_and_may_be_caught():
    def refuses(x):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        called(lambda f: f(1), refuses)

    def catches(f):
        try:
            return f(1)
        except ValueError as error:
            return f"{error}"

    assert called(catches, refuses) == "no"
