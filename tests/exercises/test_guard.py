"""Answers run from one state of the world, for a limited time, and leave no trace."""

import random
import signal
import threading
import time

import numpy as np
import pytest
import torch

from gmcourse.exercises import guard
from gmcourse.exercises.guard import OutOfTime, hold

POSIX = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the time limit is kept on POSIX")


def draws():
    return random.random(), np.random.rand(), torch.rand(()).item()  # noqa: NPY002


def seed_all(seed):
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    torch.manual_seed(seed)


def test_the_same_draws_whatever_came_before():
    seen = []
    for seed in (1, 2):
        seed_all(seed)
        hold((lambda answer: seen.append(draws()),), None, 0)
    assert seen[0] == seen[1]


def test_noise_that_an_answer_draws_is_not_what_a_law_hands_it():
    def law(answer):
        assert not torch.equal(answer(), torch.randn(3, generator=torch.Generator().manual_seed(0)))

    hold((law,), lambda: torch.randn(3), 0)


def test_random_state_is_put_back():
    seed_all(1)
    expected = draws()
    seed_all(1)
    hold((lambda answer: draws(),), None, 0)
    assert draws() == expected


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("gradients", [False, True])
@pytest.mark.parametrize("fails", [False, True])
def test_dtype_device_and_gradient_mode_are_put_back(dtype, gradients, fails):
    def law(answer):
        torch.set_default_dtype(torch.float16)
        torch.set_default_device("meta")
        torch.set_grad_enabled(False)
        if fails:
            raise GeneratorExit

    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.set_grad_enabled(gradients):
            if fails:
                with pytest.raises(GeneratorExit):
                    hold((law,), None, 0)
            else:
                hold((law,), None, 0)
            assert (torch.get_default_dtype(), torch.is_grad_enabled()) == (dtype, gradients)
            assert torch.zeros(1).device.type == "cpu"
    finally:
        torch.set_default_device(None)
        torch.set_default_dtype(before)


def test_laws_may_differentiate_where_the_notebook_may_not():
    seen = []
    with torch.no_grad():
        hold((lambda answer: seen.append(torch.is_grad_enabled()),), None, 0)
    assert seen == [True]


def test_every_law_is_asked_until_one_is_broken():
    asked = []

    def law(name, breaks=False):
        def ask(answer):
            asked.append((name, answer))
            assert not breaks

        return ask

    with pytest.raises(AssertionError):
        hold((law("a"), law("b", breaks=True), law("c")), 7, 0)
    assert asked == [("a", 7), ("b", 7)]


@POSIX
def test_an_endless_loop_is_stopped():
    def law(answer):
        while True:
            try:
                answer += 1
            except Exception:
                answer = 0

    start = time.thread_time()
    with pytest.raises(OutOfTime):
        hold((law,), 0, 0.1)
    assert time.thread_time() - start >= 0.1


@POSIX
def test_one_that_catches_the_first_alarm_meets_a_second():
    def law(answer):
        try:
            while True:
                answer += 1
        except BaseException:
            while True:
                answer -= 1

    with pytest.raises(OutOfTime):
        hold((law,), 0, 0.05)


@POSIX
def test_the_old_alarm_is_set_again():
    rang = []
    outer = signal.setitimer(signal.ITIMER_REAL, 0)  # of the test runner
    before = signal.signal(signal.SIGALRM, handler := lambda number, frame: rang.append(number))
    try:
        hold((lambda answer: None,), None, 0.05)
        assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
        signal.setitimer(signal.ITIMER_REAL, 100, 50)
        hold((lambda answer: time.sleep(0.1),), None, 5)
        left, interval = signal.getitimer(signal.ITIMER_REAL)
        assert signal.getsignal(signal.SIGALRM) is handler
        assert 0 < left <= 99.91
        assert interval == 50
        assert not rang
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *outer)


@POSIX
def test_an_alarm_after_the_laws_stops_nothing():
    with guard.limited(0.02):
        end = time.thread_time() + 0.1
        while time.thread_time() < end:
            pass


@POSIX
@pytest.mark.timeout(0)  # the runner's alarm, set again by a clock that was put forward, would ring at once
def test_waiting_has_ten_times_the_limit(monkeypatch):
    def law(answer):
        clock["shift"] = answer
        for _ in range(10):
            signal.raise_signal(signal.SIGALRM)

    clock, monotonic = {"shift": 0.0}, time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: monotonic() + clock["shift"])
    hold((law,), 950.0, 100)
    clock["shift"] = 0.0
    with pytest.raises(OutOfTime):
        hold((law,), 1000.0, 100)


@POSIX
def test_computing_has_the_limit_itself(monkeypatch):
    def law(answer):
        clock["shift"] = answer
        signal.raise_signal(signal.SIGALRM)

    clock, thread_time = {"shift": 0.0}, time.thread_time
    monkeypatch.setattr(time, "thread_time", lambda: thread_time() + clock["shift"])
    hold((law,), 80.0, 100)
    clock["shift"] = 0.0
    with pytest.raises(OutOfTime):
        hold((law,), 100.0, 100)


def test_another_thread_has_no_limit():
    done = []

    def run():
        hold((lambda answer: time.sleep(0.15),), None, 0.05)
        done.append(True)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert done == [True]
