"""The law of scores passes the closed form and catches each planted bug."""

import torch

from gmcourse.laws.score import is_score_of_mixture


def score(x, sigma, points, weights, power=2, axis=1, log=torch.log):
    """(E[x_k | x] − x)/σ²."""
    sigma = torch.as_tensor(sigma).double().expand(len(x))[:, None]
    logits = log(weights) - (x[:, None] - points).square().sum(2) / (2 * sigma**2)
    return (logits.softmax(axis) @ points - x) / sigma**power


def plain(x, sigma, points, weights):
    """Not in logarithms: 0/0 far out."""
    sigma = torch.as_tensor(sigma).double().expand(len(x))[:, None]
    shares = weights * (-(x[:, None] - points).square().sum(2) / (2 * sigma**2)).exp()
    return (shares @ points / shares.sum(1, keepdim=True) - x) / sigma**2


RIGHT = {is_score_of_mixture: (score,)}
BUGS = {
    is_score_of_mixture: {
        "sign": (lambda *a: -score(*a), "sign"),
        "the deviation for the variance": (lambda *a: score(*a, power=1), "spread"),
        "not divided by σ²": (lambda *a: score(*a, power=0), "constant"),
        "weights left out": (lambda *a: score(*a, log=torch.zeros_like), "dependence"),
        "the weights for their logarithms": (lambda *a: score(*a, log=torch.clone), ""),
        "towards the mean point": (lambda x, s, p, w: score(x, s, (w @ p)[None], torch.ones(1).double()), "log-mean"),
        "softmax over the batch": (lambda *a: score(*a, axis=0), ""),
        "the first σ for all": (
            lambda x, s, p, w: score(x, torch.as_tensor(s).double().expand(5)[0], p, w),
            "",
        ),
        "the first row for all": (lambda *a: score(*a)[:1].expand(5, 3), "shape"),
        "not in logarithms": (plain, "not-finite"),
        "one for the batch": (lambda *a: score(*a).mean(0), "shape"),
    }
}
