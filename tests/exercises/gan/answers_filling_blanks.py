"""Answers to the exercises of lesson 05.9, right and wrong."""

import math

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy, binary_cross_entropy_with_logits, logsigmoid, mse_loss, softplus

from gmcourse.exercises.gan.filling_blanks import mask_critic, mean_filled
from gmcourse.gan.gain import gain_critic_loss, gain_generator_loss, hint


def hint_in_place(m, b):
    h = torch.full_like(m, 0.5)
    h[b == 1] = m[b == 1]
    return h


def loss_by_loop(logits, m, b):
    total, count = 0.0, 0
    for h, here, told in zip(logits.flatten(), m.flatten(), b.flatten(), strict=True):
        if told == 0:
            total = total - (1 - here) * torch.sigmoid(h).log()
            count += 1
    return total / count


def rmse_by_loop(x, filled, m):
    errors = [(a - f) ** 2 for a, f, here in zip(x.flatten(), filled.flatten(), m.flatten(), strict=True) if here == 0]
    return math.sqrt(sum(errors) / len(errors))


def means_by_column(blanked):
    out = blanked.clone()
    for d in range(out.shape[1]):
        blank = out[:, d].isnan()
        out[blank, d] = out[~blank, d].mean()
    return out


def means_by_sums(blanked):
    m = (~blanked.isnan()).float()
    means = blanked.nan_to_num().sum(0) / m.sum(0)
    return m * blanked.nan_to_num() + (1 - m) * means


def means_by_numpy(blanked):
    x = blanked.numpy().copy()
    rows, columns = np.where(np.isnan(x))
    x[rows, columns] = np.nanmean(x, axis=0)[columns]
    return x


def critic_by_sums(laws, p):
    joint = p[:, None] * laws
    return torch.stack([joint[2] + joint[3], joint[1] + joint[3]]) / joint.sum(0)


def critic_by_loop(laws, p):
    masks = [(0, 0), (0, 1), (1, 0), (1, 1)]
    return [
        [
            sum(p[k] * laws[k, x] for k in range(4) if masks[k][i]).item() / sum(p[k] * laws[k, x] for k in range(4))
            for x in range(4)
        ]
        for i in range(2)
    ]


RIGHT = {
    "gan.hint": {
        "where": lambda m, b: torch.where(b == 1, m, 0.5),
        "where on truth": lambda m, b: torch.where(b.bool(), m, torch.full_like(m, 0.5)),
        "in place": hint_in_place,
        "centred": lambda m, b: 0.5 + b * (m - 0.5),
        "lerp": lambda m, b: torch.lerp(torch.full_like(m, 0.5), m, b),
        "numpy": lambda m, b: np.where(b.numpy() > 0, m.numpy(), 0.5),
        "list": lambda m, b: hint(m, b).tolist(),
    },
    "gan.gain_generator_loss": {
        "logsigmoid": lambda h, m, b: -((1 - m) * logsigmoid(h))[b == 0].mean(),
        "sigmoid and log": lambda h, m, b: -(((1 - m) * torch.sigmoid(h).log()) * (1 - b)).sum() / (1 - b).sum(),
        "loop": loss_by_loop,
        "softplus": lambda h, m, b: (softplus(-h) * (1 - m) * (1 - b)).sum() / (b == 0).sum(),
        "cross-entropy against 1": lambda h, m, b: (
            binary_cross_entropy_with_logits(h, torch.ones_like(h), weight=(1 - m) * (1 - b), reduction="sum")
            / (1 - b).sum()
        ),
        "shape (1,)": lambda h, m, b: gain_generator_loss(h, m, b)[None],
    },
    "gan.imputation_rmse": {
        "by hand": lambda x, f, m: ((1 - m) * (x - f) ** 2).sum().div((1 - m).sum()).sqrt(),
        "loop": rmse_by_loop,
        "mse_loss": lambda x, f, m: mse_loss(f[m == 0], x[m == 0]) ** 0.5,
        "norm": lambda x, f, m: (x - f)[m == 0].norm() / (m == 0).sum() ** 0.5,
        "numpy": lambda x, f, m: np.sqrt(np.mean((x - f).numpy()[m.numpy() == 0] ** 2)),
        "a number": lambda x, f, m: (x - f)[~m.bool()].pow(2).mean().sqrt().item(),
    },
    "gan.mean_filled": {
        "by column": means_by_column,
        "sums": means_by_sums,
        "numpy": means_by_numpy,
        "nanmean kept": lambda x: torch.where(torch.isnan(x), torch.nanmean(x, dim=0, keepdim=True), x),
        "double": lambda x: mean_filled(x.double()),
    },
    "gan.mask_critic": {
        "sums": critic_by_sums,
        "loop": critic_by_loop,
        "einsum": lambda q, p: (
            torch.einsum("ki,k,kx->ix", torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]]).to(q), p, q) / (p @ q)
        ),
        "reshaped": lambda q, p: (
            torch.stack([(p[:, None] * q).view(2, 2, 4)[1].sum(0), (p[:, None] * q).view(2, 2, 4)[:, 1].sum(0)])
            / (p @ q)
        ),
    },
    "gan.draw_over_mean": {
        "root": math.sqrt(2 / 1.05),
        "three digits": 1.38,
        "tensor": torch.tensor(40 / 21).sqrt(),
        "numpy": np.sqrt(2) / np.sqrt(1 + 1 / 20),
        "text of a fraction": (40 / 21) ** 0.5,
    },
}
WRONG = {
    "gan.hint": {
        "no half": (lambda m, b: b * m, "constant"),
        "b exchanged": (lambda m, b: (1 - b) * m + 0.5 * b, "direction"),
        "the mask": (lambda m, b: m.clone(), "dependence"),
        "half of b": (lambda m, b: b * m + 0.5 * b, "one-to-one"),
        "minus": (lambda m, b: b * m - 0.5 * (1 - b), "sign"),
        "one number": (lambda m, b: hint(m, b).mean(), "shape"),
        "in place": (lambda m, b: m.mul_(b).add_(0.5 * (1 - b)), "mutation"),
    },
    "gan.gain_generator_loss": {
        "known entries too": (lambda h, m, b: softplus(-h)[b == 0].mean(), "one-to-one"),
        "the critic's": (gain_critic_loss, "one-to-one"),
        "told entries too": (lambda h, m, b: ((1 - m) * softplus(-h)).mean(), "dependence"),
        "known for blank": (lambda h, m, b: (m * softplus(-h))[b == 0].mean(), "direction"),
        "saturating": (lambda h, m, b: ((1 - m) * -softplus(h))[b == 0].mean(), "sign"),
        "sign": (lambda *a: -gain_generator_loss(*a), "sign"),
        "mean over blanks": (lambda h, m, b: softplus(-h)[(b == 0) & (m == 0)].mean(), "constant"),
        "sum": (lambda h, m, b: ((1 - m) * softplus(-h))[b == 0].sum(), "reduction"),
        "over all": (lambda h, m, b: ((1 - m) * (1 - b) * softplus(-h)).mean(), "reduction"),
        "bits": (lambda *a: gain_generator_loss(*a) / math.log(2), "spread"),
        "detached": (lambda h, m, b: gain_generator_loss(h.detach(), m, b), "gradient"),
        "logits for probabilities": (lambda h, m, b: ((1 - m) * -h)[b == 0].mean(), "spread"),
        "log of the logits": (lambda h, m, b: -((1 - m) * h.log())[b == 0].mean(), "not-finite"),
        "cross-entropy of logits": (
            lambda h, m, b: binary_cross_entropy(h, torch.ones_like(h)) * (1 - m)[b == 0].mean(),
            None,
        ),
    },
    "gan.imputation_rmse": {
        "over all": (lambda x, f, m: ((1 - m) * (x - f)).square().mean().sqrt(), "reduction"),
        "all entries": (lambda x, f, m: (x - f).square().mean().sqrt(), "dependence"),
        "known": (lambda x, f, m: (x - f)[m == 1].square().mean().sqrt(), "direction"),
        "no root": (lambda x, f, m: (x - f)[m == 0].square().mean(), "spread"),
        "absolute": (lambda x, f, m: (x - f)[m == 0].abs().mean(), "spread"),
        "column by column": (
            lambda x, f, m: (((1 - m) * (x - f) ** 2).sum(0) / (1 - m).sum(0)).sqrt().mean(),
            "one-to-one",
        ),
        "root before the mean": (lambda x, f, m: (x - f)[m == 0].square().sqrt().mean(), "spread"),
        "a number for each column": (lambda x, f, m: ((1 - m) * (x - f) ** 2).mean(0).sqrt(), "shape"),
    },
    "gan.mean_filled": {
        "blanks as 0": (lambda x: torch.where(x.isnan(), x.nan_to_num().mean(0), x), "reduction"),
        "of the row": (lambda x: torch.where(x.isnan(), x.nanmean(1, keepdim=True), x), "direction"),
        "of the table": (lambda x: x.nan_to_num(x.nanmean().item()), "one-to-one"),
        "median": (lambda x: torch.where(x.isnan(), x.nanmedian(0).values, x), "spread"),
        "plain mean": (lambda x: torch.where(x.isnan(), x.mean(0), x), "not-finite"),
        "all overwritten": (lambda x: x.nanmean(0).expand_as(x), "dependence"),
        "zero": (lambda x: x.nan_to_num(), "constant"),
        "the means alone": (lambda x: x.nanmean(0), "shape"),
        "into the table": (lambda x: x.copy_(mean_filled(x)), "mutation"),
    },
    "gan.mask_critic": {
        "P(blank)": (lambda q, p: 1 - mask_critic(q, p), "direction"),
        "bits exchanged": (lambda q, p: mask_critic(q, p).flip(0), "direction"),
        "masks equally likely": (lambda q, p: mask_critic(q, torch.full_like(p, 0.25)), "dependence"),
        "not divided": (lambda q, p: mask_critic(q, p) * (p @ q), "direction"),
        "odds": (lambda q, p: mask_critic(q, p) / (1 - mask_critic(q, p)), "reduction"),
        "how often known": (
            lambda q, p: torch.stack([p[2] + p[3], p[1] + p[3]])[:, None].expand(2, 4),
            "dependence",
        ),
        "transposed": (lambda q, p: mask_critic(q, p).T, "shape"),
    },
    "gan.draw_over_mean": {
        "over the conditional mean": (math.sqrt(2), "constant"),
        "mean squares": (40 / 21, "spread"),
        "upside down": (math.sqrt(1.05 / 2), "direction"),
        "the mean's own variance alone": (math.sqrt(40), "reduction"),
        "none": (1.0, "dependence"),
        "a guess": (1.2, ""),
    },
}
