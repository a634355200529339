"""Submissions made for tests: notebooks of cells, right answers, and folders of them."""

import inspect
import json
import textwrap

from gmcourse.exercises import EXERCISES

KL = """import torch

def gaussian_kl(mean, log_std):
    return 0.5 * (mean**2 + (2 * log_std).exp() - 1 - 2 * log_std).sum(1)"""
DRAW = """def reparameterize(mean, log_std, noise):
    return mean + log_std.exp() * noise"""
USED = "latents_used = 3"
RIGHT = {"vae.gaussian_kl": KL, "vae.reparameterize": DRAW, "vae.latents_used": USED}


def code(source, id="", role="answer"):
    """A code cell, of an exercise where `id` says so."""
    metadata = {"gmcourse": {"exercise": id, "role": role}} if id else {}
    return {"cell_type": "code", "metadata": metadata, "source": source, "outputs": [], "execution_count": None}


def notebook(*cells):
    """The text of a notebook."""
    return json.dumps({"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def handed_out(answers):
    """A notebook as `gmcourse assignment` hands it out, with these answers {id: source} in it."""
    cells = []
    for id, source in answers.items():
        cells += [code(source, id), code(f'check("{id}", {EXERCISES[id].name})', id, "check")]
    return notebook(*cells)


def body(function):
    """The source of what a function of a test holds, as a cell."""
    return textwrap.dedent("".join(inspect.getsource(function).splitlines(keepends=True)[1:]))
