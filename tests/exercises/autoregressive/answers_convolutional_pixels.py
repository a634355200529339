"""Answers to the exercises of lesson 02.3, right and wrong."""

import math
from collections import deque

import numpy as np
import torch


def blind_by_walking(up, right, first, half):
    """How far right one comes, step by step."""
    reached = first
    for _ in range(up - 1):
        reached += half
    return reached < right


def blind_recursive(up, right, first, half):
    return right > first if up == 1 else blind_recursive(up - 1, right - half, first, half)


def blind_in_tensors(up, right, first, half):
    return torch.tensor(right) > torch.tensor(first + half * (up - 1))


def blind_in_numpy(up, right, first, half):
    return np.greater(right - first, half * (up - 1))


def count_by_search(layers, half):
    """Breadth first over (rows up, columns right)."""
    found, queue, visited = set(), deque([(0, 0, 0)]), {(0, 0, 0)}
    while queue:
        depth, up, right = queue.popleft()
        if depth == layers:
            found.add((up, right))
            continue
        for a in range(half + 1):
            for b in range(-half, half + 1):
                own = a == 0 and (b > 0 or (b == 0 and depth == 0))
                if not own and (state := (depth + 1, up + a, right + b)) not in visited:
                    visited.add(state)
                    queue.append(state)
    return len(found)


def count_by_gradient(layers, half):
    """Ones for weights, and the slopes that are not 0."""
    size, middle = 2 * layers * half + 1, layers * half
    x = torch.zeros(1, 1, size, size, requires_grad=True)
    out = x.double()
    for layer in range(layers):
        weight = torch.ones(1, 1, 2 * half + 1, 2 * half + 1).double()
        weight[:, :, half + 1 :] = 0
        weight[:, :, half, half + (layer > 0) :] = 0
        out = torch.nn.functional.conv2d(out, weight / weight.sum().clamp(min=1), padding=half)
    return int((torch.autograd.grad(out[0, 0, middle, middle], x)[0] != 0).sum())


def count_closed(layers, half):
    far = half * layers
    right = half * layers * (layers + 1) / 2 + far * (far - layers)
    return far + far * (far + 1) + right


def mask_by_loop(kernel, kind, colours):
    mask = np.zeros((colours, colours, kernel, kernel))
    for out in range(colours):
        for into in range(colours):
            for r in range(kernel):
                for c in range(kernel):
                    here, there = (kernel // 2, kernel // 2, out), (r, c, into)
                    mask[out, into, r, c] = there < here or (kind == "B" and there == here)
    return mask


def mask_by_flat(kernel, kind, colours):
    flat = torch.zeros(colours, colours, kernel * kernel)
    flat[..., : kernel * kernel // 2] = 1
    order = torch.arange(colours)
    flat[..., kernel * kernel // 2] = (order[:, None] > order[None] if kind == "A" else order[:, None] >= order).float()
    return flat.view(colours, colours, kernel, kernel)


def mask_by_numbers(kernel, kind, colours):
    number = torch.arange(kernel**2 * colours).view(kernel, kernel, colours).permute(2, 0, 1)
    own = number[:, kernel // 2, kernel // 2].view(-1, 1, 1, 1)
    return number[None] < own + (kind == "B")


def mask_as_lists(kernel, kind, colours):
    return mask_by_loop(kernel, kind, colours).tolist()


def complete_by_image(logits, x, known, u):
    out = []
    for image, numbers in zip(x, u, strict=True):
        image = torch.where(known, image, torch.zeros(()))
        for k in range(known.numel()):
            r, c = divmod(k, image.shape[2])
            if not known[0, r, c]:
                ink = torch.softmax(logits(image[None]), dim=1)[0, 1, 0, r, c]
                image[0, r, c] = 1.0 if numbers[k] >= 1 - ink else 0.0
        out.append(image)
    return torch.stack(out)


def complete_by_mask(logits, x, known, u):
    """Every pixel is drawn, and kept where it was unknown."""
    x = x.clone()
    for k in range(u.shape[1]):
        draws = (u.view_as(x) >= logits(x).softmax(1)[:, 0]).to(x.dtype)
        here = (torch.arange(u.shape[1]) == k).view(known.shape) & ~known
        x = torch.where(here, draws, x)
    return x


def complete_with_sigmoid(logits, x, known, u):
    filled, width = x.double().clone(), x.size(-1)
    for r, c in (~known[0]).nonzero().tolist():
        zero, ink = logits(filled.float()).unbind(1)
        p = torch.sigmoid((zero - ink)[:, 0, r, c])
        filled[:, 0, r, c] = (u[:, width * r + c] >= p).double()
    return filled


def complete_in_numpy(logits, x, known, u):
    done, seen = x.numpy().copy(), known.numpy()
    for k in range(u.shape[1]):
        r, c = k // done.shape[3], k % done.shape[3]
        if not seen[0, r, c]:
            two = np.exp(logits(torch.from_numpy(done)).numpy()[:, :, 0, r, c])
            done[:, 0, r, c] = u[:, k].numpy() >= two[:, 0] / two.sum(1)
    return done


def count_without_rest(layers, half):
    """Mask A in each layer."""
    found = {(0, 0)}
    for _ in range(layers):
        found = {
            (up + a, right + b)
            for up, right in found
            for a in range(half + 1)
            for b in range(-half, half + 1)
            if a > 0 or b < 0
        }
    return len(found)


def complete_by(zero):
    """The rule `zero(logits)` in the place of P(0)."""

    def answer(logits, x, known, u):
        x, width = x.clone(), x.shape[3]
        for r, c in (~known[0]).nonzero().tolist():
            x[:, 0, r, c] = (u[:, r * width + c] >= zero(logits(x)[:, :, 0, r, c])).to(x)
        return x

    return answer


def complete_drawn(logits, x, known, u):
    x = x.clone()
    for r, c in (~known[0]).nonzero().tolist():
        x[:, 0, r, c] = torch.multinomial(logits(x)[:, :, 0, r, c].softmax(1), 1)[:, 0].to(x)
    return x


def complete_by_height(logits, x, known, u):
    x = x.clone()
    for r, c in (~known[0]).nonzero().tolist():
        x[:, 0, r, c] = (u[:, r * x.shape[2] + c] >= logits(x)[:, :, 0, r, c].softmax(1)[:, 0]).to(x)
    return x


def complete_with_probabilities(logits, x, known, u):
    x = x.clone()
    for r, c in (~known[0]).nonzero().tolist():
        x[:, 0, r, c] = logits(x)[:, :, 0, r, c].softmax(1)[:, 1]
    return x


LN2 = math.log(2)
RIGHT = {
    "autoregressive.is_blind": {
        "step by step": blind_by_walking,
        "recursive": blind_recursive,
        "tensors": blind_in_tensors,
        "NumPy": blind_in_numpy,
        "a number": lambda up, right, first, half: int(right - first > half * (up - 1)),
    },
    "autoregressive.seen_count": {
        "a search": count_by_search,
        "gradients": count_by_gradient,
        "closed": count_closed,
        "a tensor": lambda layers, half: torch.tensor(count_closed(layers, half)),
    },
    "autoregressive.pixel_mask": {
        "loops": mask_by_loop,
        "flat": mask_by_flat,
        "numbered places, bool": mask_by_numbers,
        "lists": mask_as_lists,
    },
    "autoregressive.complete": {
        "image by image": complete_by_image,
        "masks": complete_by_mask,
        "sigmoid, float64": complete_with_sigmoid,
        "NumPy": complete_in_numpy,
    },
    "autoregressive.copy_task": {
        "a tuple": (2 * LN2, LN2, LN2, 0),
        "two decimals": [1.39, 0.69, 0.69, 0.0],
        "a tensor": torch.tensor([2.0, 1.0, 1.0, 0.0]) * LN2,
        "NumPy": np.log([4.0, 2.0, 2.0, 1.0]),
        "measured": [1.392, 0.699, 0.694, 0.002],
    },
}
WRONG = {
    "autoregressive.is_blind": {
        "the first layer costs no row": (lambda up, right, first, half: right >= first + half * up, "reduction"),
        "small kernels first": (lambda up, right, first, half: right > half + first * (up - 1), "spread"),
        "the first kernel forgotten": (lambda up, right, first, half: right > half * (up - 1), "dependence"),
        "a width": (lambda up, right, first, half: right > 2 * first + 1, "constant"),
        "seen where it is blind": (lambda *inputs: not blind_by_walking(*inputs), "direction"),
        "the edge": (lambda up, right, first, half: right >= first + half * (up - 1), "one-to-one"),
        "widths for halves": (
            lambda up, right, first, half: right > 2 * first + 1 + (2 * half + 1) * (up - 1),
            "spread",
        ),
        "nothing": (lambda *inputs: None, "container"),
    },
    "autoregressive.seen_count": {
        "layer by layer": (lambda layers, half: layers * (2 * half**2 + 2 * half), "shape"),
        "a triangle both ways": (
            lambda layers, half: (
                half * layers + sum(2 * half * min(up, layers) + 1 for up in range(1, half * layers + 1))
            ),
            "direction",
        ),
        "mask A in each layer": (count_without_rest, "log-mean"),
        "with itself": (lambda layers, half: count_closed(layers, half) + 1, "constant"),
        "a quarter less than all": (lambda layers, half: int(1.5 * (half * layers) ** 2), ""),
        "of h = 1": (lambda layers, half: count_closed(layers, 1), "dependence"),
        "everything": (lambda layers, half: (2 * half * layers + 1) ** 2 - 1, "sign"),
    },
    "autoregressive.pixel_mask": {
        "ones": (lambda kernel, kind, colours: torch.ones(colours, colours, kernel, kernel), "sign"),
        "upside down": (lambda *inputs: mask_by_flat(*inputs).flip(2), "sign"),
        "mirrored": (lambda *inputs: mask_by_flat(*inputs).flip(3), "one-to-one"),
        "strictly for both": (lambda kernel, kind, colours: mask_by_loop(kernel, "A", colours), "direction"),
        "inputs first": (lambda *inputs: mask_by_flat(*inputs).transpose(0, 1), "dependence"),
        "row and column exchanged": (lambda *inputs: mask_by_flat(*inputs).transpose(2, 3), "reduction"),
        "one colour": (lambda kernel, kind, colours: mask_by_loop(kernel, kind, 1), "shape"),
        "nothing": (lambda *inputs: None, "container"),
    },
    "autoregressive.complete": {
        "σ of one logit": (complete_by(lambda two: two[:, 0].sigmoid()), "sign"),
        "a logit for a probability": (complete_by(lambda two: two[:, 0]), "sign"),
        "a softmax over the batch": (complete_by(lambda two: two.softmax(0)[:, 0]), "sign"),
        "the first image's logits": (complete_by(lambda two: two[0].softmax(0)[0]), "shape"),
        "multinomial": (complete_drawn, "randomness"),
        "r H + c": (complete_by_height, "direction"),
        "probabilities": (complete_with_probabilities, "container"),
        "all in one pass": (
            lambda logits, x, known, u: torch.where(
                known, x, (u.view_as(x) >= logits(x * known).softmax(1)[:, 0]).float()
            ),
            "dependence",
        ),
        "its own numbers": (
            lambda logits, x, known, u: complete_by_mask(logits, x, known, torch.rand(u.shape)),
            "randomness",
        ),
        "known drawn anew": (lambda logits, x, known, u: complete_by_mask(logits, x, ~known & known, u), "constant"),
        "bernoulli of ink": (
            lambda logits, x, known, u: complete_by_mask(lambda y: logits(y).flip(1), x, known, u),
            "sign",
        ),
        "into x": (lambda logits, x, known, u: x.copy_(complete_by_mask(logits, x, known, u)), "mutation"),
    },
    "autoregressive.copy_task": {
        "one pixel more": ([2 * LN2, 2 * LN2, LN2, 0], "one-to-one"),
        "the lesson's task": ([LN2, LN2, 0, 0], "reduction"),
        "deep enough": ([0, 0, 0, 0], "constant"),
        "bits": ([2, 1, 1, 0], "log-mean"),
        "one pixel": ([LN2, LN2, LN2, 0], "reduction"),
        "three numbers": ([2 * LN2, LN2, 0], "shape"),
    },
}
