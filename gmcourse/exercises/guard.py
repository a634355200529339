"""An answer run under guard: from one state of the world, for a limited time, and the world put back afterwards."""

import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import numpy as np
import torch

SEED = 1_234_567  # not one of the laws' own, or noise that an answer draws would be that which it was handed


class OutOfTime(BaseException):
    """The time is up. No Exception, so that `except Exception` in an answer does not keep it."""


def hold(laws: tuple[Callable[[Any], None], ...], answer: Any, seconds: float) -> None:
    """Each law on the answer: same seeds for all, gradients on. What a law raises is raised.

    Afterwards dtype, device, gradient mode and random state (python, numpy, torch) are what they were. Raises
    OutOfTime, in the main thread on POSIX alone and between two steps of Python code, after `seconds` of computing
    or ten times that on the clock, so that a busy machine is not taken for an endless loop; 0 is no limit.
    """
    with _restored(), limited(seconds):
        _run(laws, answer)


def _run(laws: tuple[Callable[[Any], None], ...], answer: Any) -> None:
    for law in laws:
        law(answer)


@contextmanager
def _restored() -> Iterator[None]:
    dtype, device, gradients = torch.get_default_dtype(), torch.get_default_device(), torch.is_grad_enabled()
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    try:
        torch.set_grad_enabled(True)
        random.seed(SEED)
        np.random.seed(SEED)  # noqa: NPY002
        torch.default_generator.manual_seed(SEED)
        yield
    finally:
        torch.set_default_dtype(dtype)
        torch.set_grad_enabled(gradients)
        if torch.get_default_device() != device:
            torch.set_default_device(None if device.type == "cpu" else device)
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        torch.set_rng_state(states[2])


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """An alarm once a second that looks at the time, also for code that catches the first; then the old alarm again."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    computed, start, left, interval = time.thread_time(), time.monotonic(), 0.0, 0.0

    def look(number: int, frame: FrameType | None) -> None:
        up = time.thread_time() - computed >= seconds or time.monotonic() - start >= 10 * seconds
        if up and _running(frame):
            raise OutOfTime(f"not done after {seconds:g} seconds")

    handler = signal.signal(signal.SIGALRM, look)
    try:
        left, interval = signal.setitimer(signal.ITIMER_REAL, min(seconds, 1.0), 1.0)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler or signal.SIG_DFL)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - start), 1e-3), interval)


def _running(frame: FrameType | None) -> bool:
    """Whether the laws are being run: an alarm before or after that stops nothing."""
    while frame is not None and frame.f_code is not _run.__code__:
        frame = frame.f_back
    return frame is not None
