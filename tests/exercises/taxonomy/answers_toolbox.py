"""Answers to the exercises of lesson 01.0, right and wrong."""

import math
import statistics

import numpy as np
import torch
from torch.distributions import MultivariateNormal

from gmcourse.exercises.taxonomy.toolbox import penalty_gradient
from gmcourse.probability import bits_per_dim
from gmcourse.taxonomy.conditioning import condition
from gmcourse.taxonomy.monte_carlo import kl_terms, log_mean_exp, standard_error


def error_by_loop(values):
    n, mean, total = len(values), 0.0, 0.0
    for v in values:
        mean = mean + v / n
    for v in values:
        total = total + (v - mean) ** 2
    return (total / (n - 1) / n) ** 0.5


def error_in_place(values):
    values -= values.mean()
    return values.std() / math.sqrt(len(values))


def jackknife(values):
    n = len(values)
    left_out = torch.stack([torch.cat([values[:i], values[i + 1 :]]).mean() for i in range(n)])
    return ((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum()).sqrt()


def bootstrap(values):
    rng = torch.Generator().manual_seed(0)
    picked = torch.randint(len(values), (2_000, len(values)), generator=rng)
    return values[picked].mean(1).std()


def lme_by_loop(log_values):
    answers = []
    for row in log_values:
        top = max(row)
        answers.append(top + math.log(sum(math.exp(a - top) for a in row) / len(row)))
    return answers


def lme_by_hand(log_values):
    top = log_values.amax(dim=1, keepdim=True)
    return (top + torch.log(torch.mean(torch.exp(log_values - top), dim=1, keepdim=True))).squeeze(1)


def lme_by_numpy(log_values):
    a = log_values.numpy()
    return np.logaddexp.reduce(a, axis=1) - np.log(a.shape[1])


def lme_pairwise(log_values):
    total = torch.full((len(log_values),), -math.inf)
    for column in log_values.T:
        total = torch.logaddexp(total, column)
    return total - math.log(log_values.shape[1])


def lme_in_place(log_values):
    top = log_values.amax(1, keepdim=True)
    log_values -= top
    return (log_values.exp().mean(1, keepdim=True).log() + top)[:, 0]


def lme_masked(log_values):
    floor = log_values.masked_fill(log_values == -math.inf, -1e30)
    return torch.logsumexp(floor, 1) - math.log(log_values.shape[1])


def terms_by_loop(log_p, log_q):
    return [math.exp(b - a) - 1 - (b - a) for a, b in zip(log_p.tolist(), log_q.tolist())]


def condition_by_loop(mean, cov, known, value):
    """One known coordinate after the other."""
    names, seen = list(range(len(mean))), iter(value)
    for i in [i for i in range(len(known)) if known[i]]:
        j = names.index(i)
        v, keep = next(seen), [k for k in range(len(names)) if k != j]
        mean, cov = (
            mean[keep] + cov[keep, j] / cov[j, j] * (v - mean[j]),
            cov[keep][:, keep] - torch.outer(cov[keep, j], cov[j, keep]) / cov[j, j],
        )
        names.remove(i)
    return mean, cov


def condition_by_precision(mean, cov, known, value):
    precision = torch.inverse(cov)
    a, b = torch.where(~known)[0], torch.where(known)[0]
    new = torch.inverse(precision[a][:, a])
    return [mean[a] - new @ precision[a][:, b] @ (value - mean[b]), new]


def condition_by_numpy(mean, cov, known, value):
    mean, cov, known, value = (part.numpy() for part in (mean, cov, known, value))
    a, b = np.flatnonzero(~known), np.flatnonzero(known)
    gain = cov[np.ix_(a, b)] @ np.linalg.inv(cov[np.ix_(b, b)])
    return mean[a] + gain @ (value - mean[b]), cov[np.ix_(a, a)] - gain @ cov[np.ix_(b, a)]


def condition_by_cholesky(mean, cov, known, value):
    a, b = (~known).nonzero().squeeze(1), known.nonzero().squeeze(1)
    factor = torch.linalg.cholesky(cov[b][:, b])
    half = torch.linalg.solve_triangular(factor, cov[b][:, a], upper=False)
    off = torch.linalg.solve_triangular(factor, (value - mean[b])[:, None], upper=False)
    return mean[a] + (half.T @ off)[:, 0], cov[a][:, a] - half.T @ half


def condition_by_lists(mean, cov, known, value):
    new_mean, new_cov = condition(mean, cov, known, value)
    return new_mean.tolist(), new_cov.tolist()


def blocks(mean, cov, known, value):
    return cov[~known][:, ~known], cov[~known][:, known], cov[known][:, known], mean[~known], value - mean[known]


def one_by_one(mean, cov, known, value):
    own, across, other, at, off = blocks(mean, cov, known, value)
    gain = across / other.diagonal()
    return at + gain @ off, own - gain @ across.T


def no_inverse(mean, cov, known, value):
    own, across, other, at, off = blocks(mean, cov, known, value)
    return at + across @ other @ off, own - across @ other @ across.T


def own_inverse(mean, cov, known, value):
    own, across, _, at, off = blocks(mean, cov, known, value)
    gain = torch.linalg.solve(own, across)
    return at + gain @ off, own - gain @ across.T


def transposed_gain(mean, cov, known, value):
    own, across, other, at, off = blocks(mean, cov, known, value)
    gain = torch.linalg.solve(other, across.T)
    return at + gain @ off, own - gain @ across


def known_first(mean, cov, known, value):
    """The number of the known ones is right, their places are not."""
    k = int(known.sum())
    first = torch.arange(len(known)) < k
    return condition(mean, cov, first, value)


def covariance_only(change):
    def answer(mean, cov, known, value):
        new_mean, new_cov = condition(mean, cov, known, value)
        return new_mean, change(new_cov, cov, known)

    return answer


def known_overwritten(mean, cov, known, value):
    mean[known] = value - mean[known]
    new, covariance = condition(0 * mean, cov, known, mean[known])
    return new + mean[~known], covariance


def of_row(jacobian):
    return torch.stack([torch.slogdet(matrix)[1] for matrix in jacobian])


def by_lu(log_p, jacobian):
    factors, _ = torch.linalg.lu_factor(jacobian)
    return log_p - factors.diagonal(dim1=-2, dim2=-1).abs().log().sum(-1)


def log_det_by_numpy(log_p, jacobian):
    return log_p.numpy() - np.linalg.slogdet(jacobian.numpy())[1]


def written_over(log_p, jacobian):
    log_p -= torch.linalg.slogdet(jacobian).logabsdet
    return log_p


def ready(*tensors):
    return (tensor.detach().clone().requires_grad_() for tensor in tensors)


def penalty_of(h, x, weight, of_slopes, graph=True, inner=torch.sum):
    """The gradient in weight of what `of_slopes` makes of the slopes."""
    x, weight = ready(x, weight)
    slopes = torch.autograd.grad(inner(h(x, weight)), x, create_graph=graph)[0]
    return torch.autograd.grad(of_slopes(slopes), weight)[0]


def gradient_by(of_slopes, **options):
    return lambda h, x, weight: penalty_of(h, x, weight, of_slopes, **options)


def mean_penalty(slopes):
    return ((slopes.norm(dim=1) - 1) ** 2).mean()


def by_backward(h, x, weight):
    x.requires_grad_()
    weight.requires_grad_()
    slopes = torch.autograd.grad(h(x, weight).sum(), x, create_graph=True)[0]
    mean_penalty(slopes).backward()
    return weight.grad


def by_rows(h, x, weight):
    weight = weight.clone().requires_grad_(True)
    total = 0
    for row in x:
        row = row[None].clone().requires_grad_(True)
        (slope,) = torch.autograd.grad(h(row, weight)[0], row, create_graph=True)
        total = total + (torch.sqrt((slope**2).sum()) - 1) ** 2
    (total / len(x)).backward()
    return weight.grad


def by_func(h, x, weight):
    def penalty(weight):
        slopes = torch.func.grad(lambda x: h(x, weight).sum())(x)
        return ((slopes.norm(dim=1) - 1) ** 2).mean()

    return torch.func.grad(penalty)(weight)


def by_vmap(h, x, weight):
    def slope(row, weight):
        return torch.func.grad(lambda row: h(row[None], weight)[0])(row)

    def penalty(weight):
        slopes = torch.func.vmap(slope, in_dims=(0, None))(x, weight)
        return (torch.linalg.norm(slopes, dim=1) - 1).pow(2).mean()

    return torch.func.grad(penalty)(weight)


def by_jacobian(h, x, weight):
    def penalty(weight):
        slopes = torch.autograd.functional.jacobian(lambda x: h(x, weight).sum(), x, create_graph=True)
        return ((slopes.norm(dim=1) - 1) ** 2).mean()

    return torch.autograd.functional.jacobian(penalty, weight)


def by_differences(h, x, weight):
    x, weight = x.double(), weight.double()
    gradient, step = torch.zeros_like(weight), 1e-5
    for i in range(weight.numel()):
        ends = []
        for sign in (1, -1):
            moved = weight.clone()
            moved.view(-1)[i] += sign * step
            at = x.clone().requires_grad_()
            ends.append(mean_penalty(torch.autograd.grad(h(at, moved).sum(), at)[0]))
        gradient.view(-1)[i] = (ends[0] - ends[1]) / (2 * step)
    return gradient


def in_float64(h, x, weight):
    return penalty_gradient(h, x.double(), weight.double())


def beside_a_loss(graph, share=1.0):
    def answer(h, x, weight):
        x, weight = ready(x, weight)
        value = h(x, weight)
        slopes = torch.autograd.grad(value.sum(), x, create_graph=graph, retain_graph=True)[0]
        (share * value.mean() + mean_penalty(slopes)).backward()
        return weight.grad

    return answer


def slopes_detached(h, x, weight):
    x, weight = ready(x, weight)
    slopes = torch.autograd.grad(h(x, weight).sum(), x, create_graph=True)[0].detach()
    (mean_penalty(slopes) + 0 * h(x, weight).sum()).backward()
    return weight.grad


def the_other_gradient(h, x, weight):
    x, weight = ready(x, weight)
    slopes = torch.autograd.grad(h(x, weight).sum(), x, create_graph=True)[0]
    return torch.autograd.grad(mean_penalty(slopes), x)[0]


def of_copy(h, x, weight):
    copy = weight.clone().requires_grad_()
    x = x.clone().requires_grad_()
    mean_penalty(torch.autograd.grad(h(x, copy).sum(), x, create_graph=True)[0]).backward()
    return weight.grad


def a_step(h, x, weight):
    weight -= 0.1 * penalty_gradient(h, x, weight)
    return penalty_gradient(h, x, weight)


RIGHT = {
    "taxonomy.standard_error": {
        "loop": error_by_loop,
        "statistics": lambda v: statistics.stdev(v.tolist()) / math.sqrt(len(v)),
        "numpy": lambda v: np.std(v.numpy(), ddof=1) / np.sqrt(v.numpy().size),
        "root of a variance": lambda v: (v.var() / v.numel()) ** 0.5,
        "float64 in shape (1,)": lambda v: v.double().var(0, keepdim=True).div(len(v)).sqrt(),
        "jackknife": jackknife,
        "norm": lambda v: (v - v.mean()).norm() / math.sqrt(len(v) * (len(v) - 1)),
        "moments": lambda v: (((v**2).mean() - v.mean() ** 2) / (len(v) - 1)).sqrt(),
        "list": lambda v: [torch.std(v, unbiased=True) * len(v) ** -0.5],
    },
    "taxonomy.log_mean_exp": {
        "loop, a list": lme_by_loop,
        "the maximum taken out": lme_by_hand,
        "numpy": lme_by_numpy,
        "one after the other": lme_pairwise,
        "in float64": lambda a: torch.logsumexp(a.double(), -1) - np.log(a.size(-1)),
        "of shifted logarithms": lambda a: (a - math.log(a.shape[1])).logsumexp(dim=1),
        "vmap": torch.func.vmap(lambda row: row.logsumexp(0) - math.log(len(row))),
        "a finite floor": lme_masked,
        "list of tensors": lambda a: [row.logsumexp(0) - math.log(len(row)) for row in a],
        "by log_softmax": lambda a: (a - a.log_softmax(1)).nan_to_num(-math.inf).amax(1) - math.log(a.shape[1]),
    },
    "taxonomy.kl_terms": {
        "plain": lambda p, q: torch.exp(q - p) - 1 - (q - p),
        "loop, a list": terms_by_loop,
        "r named": lambda p, q: (r := (q - p).exp()) - 1 - (q - p) + 0 * r,
        "float64": lambda p, q: torch.expm1(q.double() - p.double()) - q.double() + p.double(),
        "numpy": lambda p, q: np.expm1((q - p).numpy()) + (p - q).numpy(),
        "vmap": torch.func.vmap(lambda p, q: (q - p).exp() - 1 + p - q),
    },
    "taxonomy.condition": {
        "one after the other": condition_by_loop,
        "precision": condition_by_precision,
        "numpy": condition_by_numpy,
        "cholesky": condition_by_cholesky,
        "lists": condition_by_lists,
        "float64": lambda m, c, k, v: condition(m.double(), c.double(), k, v.double()),
        "pinv": lambda m, c, k, v: (
            m[~k] + c[~k][:, k] @ torch.linalg.pinv(c[k][:, k]) @ (v - m[k]),
            c[~k][:, ~k] - torch.einsum("ab,bc,dc->ad", c[~k][:, k], torch.linalg.pinv(c[k][:, k]), c[~k][:, k]),
        ),
    },
    "taxonomy.log_density_after": {
        "loop": lambda lp, j: lp - of_row(j),
        "LU": by_lu,
        "QR": lambda lp, j: lp - torch.linalg.qr(j).R.diagonal(dim1=1, dim2=2).abs().log().sum(1),
        "singular values": lambda lp, j: lp - torch.linalg.svdvals(j).log().sum(-1),
        "eigenvalues": lambda lp, j: lp - torch.linalg.eigvals(j).abs().log().sum(1),
        "numpy": log_det_by_numpy,
        "half of det JᵀJ": lambda lp, j: lp - torch.logdet(j.mT.double() @ j.double()) / 2,
        "det in float64": lambda lp, j: lp - j.double().det().abs().log(),
        "the inverse's": lambda lp, j: lp + torch.slogdet(torch.inverse(j))[1],
        "vmap": torch.func.vmap(lambda lp, j: lp - torch.linalg.slogdet(j).logabsdet),
        "list": lambda lp, j: (lp - torch.linalg.slogdet(j)[1]).tolist(),
    },
    "taxonomy.penalty_gradient": {
        "backward": by_backward,
        "row by row": by_rows,
        "torch.func": by_func,
        "vmap": by_vmap,
        "functional jacobian": by_jacobian,
        "differences in float64": by_differences,
        "float64": in_float64,
        "einsum": gradient_by(lambda g: (torch.einsum("bd,bd->b", g, g).sqrt() - 1).square().mean()),
        "with the graph kept": lambda h, x, w: 0.5 * penalty_of(h, x, w, lambda g: 2 * mean_penalty(g)),
        "numpy out": lambda h, x, w: penalty_gradient(h, x, w).numpy(),
    },
    "taxonomy.bits_per_dim": {
        "log2 of e": lambda lp, dims: -lp * math.log2(math.e) / dims,
        "loop": lambda lp, dims: [-value / math.log(2) / dims for value in lp.tolist()],
        "numpy": lambda lp, dims: lp.numpy() / (-dims * np.log(2)),
        "logarithm of a tensor": lambda lp, dims: -(lp / dims) / torch.log(torch.tensor(2.0)),
        "mean NLL first": lambda lp, dims: (lp.double() / dims).neg() / 0.6931471805599453,
        "vmap": lambda lp, dims: torch.func.vmap(lambda v: -v / (dims * math.log(2)))(lp),
    },
}
WRONG = {
    "taxonomy.standard_error": {
        "variance of the mean": (lambda v: v.var() / len(v), "spread"),
        "variance": (lambda v: v.var(), "spread"),
        "numpy's population": (lambda v: np.std(v.numpy()) / math.sqrt(len(v)), "dependence"),
        "n − 1 twice": (lambda v: v.std() / (len(v) - 1) ** 0.5, "one-to-one"),
        "two of them": (lambda v: 2 * standard_error(v), "constant"),
        "about 0": (lambda v: (v**2).mean().sqrt() / math.sqrt(len(v)), "direction"),
        "mean distance": (lambda v: (v - v.mean()).abs().mean() / math.sqrt(len(v)), ""),
        "the mean": (lambda v: v.mean(), ""),
        "bootstrap": (bootstrap, ""),
        "variance over √n": (lambda v: v.var() / math.sqrt(len(v)), "spread"),
        "one a draw": (lambda v: (v - v.mean()).abs() / math.sqrt(len(v)), "shape"),
        "in place": (error_in_place, "mutation"),
        "multiplied": (lambda v: v.std() * math.sqrt(len(v)), "reduction"),
        "NaN": (lambda v: v.std() * math.nan, "not-finite"),
        "none": (lambda v: None, "container"),
        "in words": (lambda v: f"{standard_error(v):.3f}", "container"),
    },
    "taxonomy.log_mean_exp": {
        "over the batch": (lambda a: a.logsumexp(0) - math.log(len(a)), "shape"),
        "divided by the batch": (lambda a: a.logsumexp(1) - math.log(a.shape[0]), "shape"),
        "all in one": (lambda a: a.flatten().logsumexp(0) - math.log(a.numel()), "shape"),
        "a column": (lambda a: a.logsumexp(1, keepdim=True) - math.log(a.shape[1]), "shape"),
        "clamped": (lambda a: a.exp().mean(1).clamp(1e-30, 1e30).log(), "overflow"),
        "a little added": (lambda a: (a.clamp(max=80).exp().mean(1) + 1e-8).log(), "overflow"),
        "the maximum not put back": (lambda a: log_mean_exp(a - a.amax(1, keepdim=True)), "direction"),
        "the mean of weights": (lambda a: a.exp().mean(1), "spread"),
        "ln K added": (lambda a: a.logsumexp(1) + math.log(a.shape[1]), "constant"),
        "divided, not its logarithm": (lambda a: a.logsumexp(1) / a.shape[1], "log-mean"),
        "float64 alone": (lambda a: a.double().exp().mean(1).log(), "not-finite"),
        "the maximum of all": (lambda a: a.max() + (a - a.max()).exp().mean(1).log(), "reduction"),
        "the mean taken off": (
            lambda a: a.mean(1) + (a - a.mean(1, keepdim=True)).exp().mean(1).log(),
            "not-finite",
        ),
        "zeros left out": (
            lambda a: torch.stack([row[row.isfinite()].logsumexp(0) - row.isfinite().sum().log() for row in a]),
            "dependence",
        ),
        "in place": (lme_in_place, "mutation"),
        "−∞ as 0": (lambda a: log_mean_exp(a.nan_to_num(neginf=0.0)), ""),
        "NaN": (lambda a: log_mean_exp(a) * math.nan, "not-finite"),
    },
    "taxonomy.kl_terms": {
        "the log-ratio": (lambda p, q: q - p, "sign"),
        "turned": (lambda p, q: 1 - (q - p).exp() + (q - p), "sign"),
        "plus ln r": (lambda p, q: torch.expm1(q - p) + (q - p), "sign"),
        "p over q": (lambda p, q: torch.expm1(p - q) - (p - q), "direction"),
        "of the other KL": (lambda p, q: (q - p).exp() * (q - p - 1) + 1, "direction"),
        "1 forgotten": (lambda p, q: (q - p).exp() - (q - p), "constant"),
        "r alone": (lambda p, q: (q - p).exp() - 1, "sign"),
        "logarithm of r": (lambda p, q: ((q - p).exp() - 1) - torch.log((q - p).exp()), "not-finite"),
        "absolute": (lambda p, q: (p - q).abs(), "one-to-one"),
        "cut off": (lambda p, q: (p - q).clamp(min=0), "one-to-one"),
        "half the square": (lambda p, q: (q - p) ** 2 / 2, "spread"),
        "weighed by p": (lambda p, q: p.exp() * (p - q), "dependence"),
        "the ratio of logarithms": (lambda p, q: q / p - 1 - (q / p).log(), "log-mean"),
        "summed": (lambda p, q: kl_terms(p, q).sum(), "shape"),
        "mean for each": (lambda p, q: kl_terms(p, q).mean().expand(len(p)), "shape"),
        "two exponentials": (lambda p, q: q.exp() / (p.exp() + 1e-12) - 1 - (q - p), "overflow"),
        "two exponentials in float64": (
            lambda p, q: q.double().exp() / p.double().exp() - 1 - (q - p),
            "not-finite",
        ),
        "in place": (lambda p, q: torch.expm1(q.sub_(p)) - q, "mutation"),
        "base 2": (lambda p, q: kl_terms(p, q) / math.log(2), ""),
    },
    "taxonomy.condition": {
        "one by one": (one_by_one, "reduction"),
        "not inverted": (no_inverse, "log-mean"),
        "the wrong block inverted": (own_inverse, "direction"),
        "the gain transposed": (transposed_gain, None),
        "known and unknown exchanged": (
            lambda m, c, k, v: condition(m, c, ~k, v) if 2 * int(k.sum()) == len(k) else condition(m, c, k, v),
            "direction",
        ),
        "known ones first": (known_first, "direction"),
        "mean of v": (lambda m, c, k, v: condition(0 * m, c, k, v), "constant"),
        "a precision": (covariance_only(lambda new, c, k: torch.linalg.inv(c)[~k][:, ~k]), "log-mean"),
        "an entry of the precision inverted": (
            covariance_only(lambda new, c, k: 1 / torch.linalg.inv(c)[~k][:, ~k]),
            "one-to-one",
        ),
        "standard deviations": (covariance_only(lambda new, c, k: new.sqrt()), "spread"),
        "variances alone": (covariance_only(lambda new, c, k: new.diagonal().diag()), "one-to-one"),
        "a list of variances": (covariance_only(lambda new, c, k: new.diagonal()), "shape"),
        "added": (covariance_only(lambda new, c, k: 2 * c[~k][:, ~k] - new), "sign"),
        "nothing learned": (covariance_only(lambda new, c, k: c[~k][:, ~k]), "dependence"),
        "the mean alone": (lambda m, c, k, v: condition(m, c, k, v)[0], "container"),
        "a distribution": (lambda m, c, k, v: MultivariateNormal(*condition(m, c, k, v)), "container"),
        "three": (lambda m, c, k, v: (*condition(m, c, k, v), v), "container"),
        "in the other order": (lambda m, c, k, v: condition(m, c, k, v)[::-1], "shape"),
        "the rest turned round": (lambda m, c, k, v: [part.flip(0) for part in condition(m, c, k, v)], ""),
        "in place": (known_overwritten, "mutation"),
        "NaN": (lambda m, c, k, v: [math.nan * part for part in condition(m, c, k, v)], "not-finite"),
        "a little added to Σ": (lambda m, c, k, v: condition(m, c + 0.01 * torch.eye(len(m)), k, v), ""),
    },
    "taxonomy.log_density_after": {
        "no logarithm": (lambda lp, j: lp - j.det().abs(), "spread"),
        "no logarithm, signed": (lambda lp, j: lp - j.det(), "spread"),
        "divided": (lambda lp, j: lp / j.det().abs(), "spread"),
        "the density": (lambda lp, j: lp.exp() / j.det().abs(), "log-mean"),
        "added": (lambda lp, j: lp + torch.linalg.slogdet(j)[1], "sign"),
        "nothing": (lambda lp, j: lp, "constant"),
        "twice": (lambda lp, j: lp - torch.logdet(j.mT @ j), "constant"),
        "the sign of slogdet": (lambda lp, j: lp - torch.linalg.slogdet(j)[0], "one-to-one"),
        "trace": (lambda lp, j: lp - j.diagonal(dim1=1, dim2=2).sum(1), "reduction"),
        "diagonal": (lambda lp, j: lp - j.diagonal(dim1=1, dim2=2).log().sum(1), "reduction"),
        "a mean over dimensions": (lambda lp, j: lp - torch.linalg.slogdet(j)[1] / j.shape[1], "reduction"),
        "one Jacobian for all": (lambda lp, j: lp - torch.linalg.slogdet(j[0])[1], "shape"),
        "the mean Jacobian": (lambda lp, j: lp - torch.linalg.slogdet(j.mean(0))[1], "shape"),
        "broadcast": (lambda lp, j: lp[:, None] - torch.linalg.slogdet(j)[1], "shape"),
        "clamped": (lambda lp, j: lp - j.det().abs().clamp(min=1e-12).log(), "overflow"),
        "the base alone": (lambda lp, j: -torch.linalg.slogdet(j)[1], "direction"),
        "without |·|": (lambda lp, j: lp - j.double().det().log(), "not-finite"),
        "in place": (written_over, "mutation"),
        "base 10": (lambda lp, j: lp - torch.linalg.slogdet(j)[1] / math.log(10), ""),
        "by eigenvalues, complex": (lambda lp, j: lp - torch.linalg.eigvals(j).log().sum(1), "complex"),
    },
    "taxonomy.penalty_gradient": {
        "no graph": (gradient_by(mean_penalty, graph=False), "gradient"),
        "no graph, beside a loss": (beside_a_loss(False), "gradient"),
        "a loss beside it": (beside_a_loss(True), "dependence"),
        "Σ h, left in `.grad`": (beside_a_loss(True, 4.0), "dependence"),  # of the law's four rows
        "a loss climbed beside it": (beside_a_loss(True, -1.0), "dependence"),
        "slopes detached": (slopes_detached, "gradient"),
        "the gradient of h": (lambda h, x, w: torch.func.grad(lambda w: h(x, w).mean())(w), "gradient"),
        "sum": (gradient_by(lambda g: ((g.norm(dim=1) - 1) ** 2).sum()), "reduction"),
        "one norm": (gradient_by(lambda g: (g.norm() - 1) ** 2), "reduction"),
        "each coordinate": (gradient_by(lambda g: ((g - 1) ** 2).mean()), "reduction"),
        "norm over the batch": (gradient_by(lambda g: ((g.norm(dim=0) - 1) ** 2).mean()), "reduction"),
        "the mean of h": (gradient_by(mean_penalty, inner=torch.mean), "reduction"),
        "the mean norm": (gradient_by(lambda g: (g.norm(dim=1).mean() - 1) ** 2), "reduction"),
        "no root": (gradient_by(lambda g: ((g.square().sum(1) - 1) ** 2).mean()), "spread"),
        "slopes to 0": (gradient_by(lambda g: g.square().sum(1).mean()), "constant"),
        "R1": (gradient_by(lambda g: g.square().sum(1).mean() / 2), "constant"),
        "not squared": (gradient_by(lambda g: (g.norm(dim=1) - 1).mean()), "constant"),
        "absolute": (gradient_by(lambda g: (g.norm(dim=1) - 1).abs().mean()), "spread"),
        "half": (gradient_by(lambda g: ((g.norm(dim=1) - 1) ** 2).mean() / 2), ""),
        "one-sided": (gradient_by(lambda g: ((g.norm(dim=1) - 1).clamp(min=0) ** 2).mean()), "one-to-one"),
        "sum of absolute slopes": (gradient_by(lambda g: ((g.abs().sum(1) - 1) ** 2).mean()), "spread"),
        "minus": (lambda h, x, w: -penalty_gradient(h, x, w), "sign"),
        "in x": (the_other_gradient, "shape"),
        "of a copy": (of_copy, "container"),
        "a step taken": (a_step, "mutation"),
        "first row": (lambda h, x, w: penalty_gradient(h, x[:1], w), ""),
        "a tuple": (lambda h, x, w: (penalty_gradient(h, x, w),), "shape"),
        "summed over weight": (lambda h, x, w: penalty_gradient(h, x, w).sum(), "shape"),
        "NaN": (lambda h, x, w: penalty_gradient(h, x, w) * math.nan, "not-finite"),
    },
    "taxonomy.bits_per_dim": {
        "nats": (lambda lp, dims: -lp / dims, "constant"),
        "turned": (lambda lp, dims: -lp * math.log(2) / dims, "constant"),
        "tens": (lambda lp, dims: -lp / (dims * math.log(10)), "constant"),
        "plus": (lambda lp, dims: lp / dims / math.log(2), "sign"),
        "of the whole example": (lambda lp, dims: -lp / math.log(2), "reduction"),
        "times dims": (lambda lp, dims: -lp * dims / math.log(2), "reduction"),
        "perplexity": (lambda lp, dims: (-lp / dims).exp(), "log-mean"),
        "a logarithm again": (lambda lp, dims: -torch.log2(lp) / dims, "not-finite"),
        "log2 of the density": (lambda lp, dims: -lp.exp().log2() / dims, "not-finite"),
        "mean for all": (lambda lp, dims: bits_per_dim(lp, dims).mean().expand(len(lp)), "shape"),
        "mean": (lambda lp, dims: bits_per_dim(lp, dims).mean(), "shape"),
        "absolute": (lambda lp, dims: bits_per_dim(lp, dims).abs(), "one-to-one"),
        "never below 0": (lambda lp, dims: bits_per_dim(lp, dims).relu(), "one-to-one"),
        "784 pixels always": (lambda lp, dims: bits_per_dim(lp, 784), ""),
        "a whole number of bits": (lambda lp, dims: bits_per_dim(lp, dims).ceil(), ""),
        "in place": (lambda lp, dims: lp.div_(-dims * math.log(2)), "mutation"),
    },
}
