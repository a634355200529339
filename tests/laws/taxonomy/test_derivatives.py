"""The laws of derivatives pass right answers and catch each planted bug."""

import torch

from gmcourse.laws.taxonomy import derivatives


def log_abs_det(jacobian):
    return torch.linalg.slogdet(jacobian).logabsdet


def after(log_p, jacobian):
    return log_p - log_abs_det(jacobian)


def double_backward(h, x, weight, of_slopes=lambda g: (g.norm(dim=1) - 1).square().mean(), graph=True, loss=0.0):
    x, weight = x.clone().requires_grad_(), weight.clone().requires_grad_()
    value = h(x, weight)
    slopes = torch.autograd.grad(value.sum(), x, create_graph=graph, retain_graph=True)[0]
    return torch.autograd.grad(loss * value.mean() + of_slopes(slopes), weight)[0]


def of(of_slopes):
    return lambda h, x, weight: double_backward(h, x, weight, of_slopes)


RIGHT = {
    derivatives.density_after_map: (after, lambda log_p, j: log_p - torch.linalg.svdvals(j).log().sum(1)),
    derivatives.gradient_of_penalty: (
        double_backward,
        lambda h, x, weight: double_backward(h, x.double(), weight.double()),
    ),
}
BUGS = {
    derivatives.density_after_map: {
        "sign": (lambda log_p, j: log_p + log_abs_det(j), "sign"),
        "no volume": (lambda log_p, j: log_p, "constant"),
        "the volume twice": (lambda log_p, j: log_p - 2 * log_abs_det(j), "constant"),
        "no logarithm": (lambda log_p, j: log_p - log_abs_det(j).exp(), "spread"),
        "the density": (lambda log_p, j: after(log_p, j).exp(), "log-mean"),
        "the diagonal": (lambda log_p, j: log_p - j.diagonal(dim1=1, dim2=2).abs().log().sum(1), "reduction"),
        "a mean over dimensions": (lambda log_p, j: log_p - log_abs_det(j) / j.shape[1], "reduction"),
        "signed": (lambda log_p, j: log_p - torch.linalg.slogdet(j).sign * log_abs_det(j), "one-to-one"),
        "the sign": (lambda log_p, j: log_p - torch.linalg.slogdet(j).sign, "one-to-one"),
        "the first row for all": (lambda log_p, j: log_p - log_abs_det(j[:1]), "shape"),
        "the mean volume": (lambda log_p, j: log_p - log_abs_det(j).mean(), "shape"),
        "the volume alone": (lambda log_p, j: -log_abs_det(j), "direction"),
        "held off 0": (lambda log_p, j: log_p - (j.det().abs() + 1e-30).log(), "overflow"),
        "not in logarithms": (lambda log_p, j: log_p - j.det().abs().log(), "not-finite"),
        "without |·|": (lambda log_p, j: log_p - j.double().logdet(), "not-finite"),
        "bits": (lambda log_p, j: log_p - 1.4427 * log_abs_det(j), ""),
    },
    derivatives.gradient_of_penalty: {
        "a loss, and no graph": (
            lambda h, x, weight: double_backward(h, x, weight, graph=False, loss=1.0),
            "gradient",
        ),
        "no gradient": (lambda h, x, weight: torch.zeros_like(weight), "gradient"),
        "a loss beside it": (lambda h, x, weight: double_backward(h, x, weight, loss=1.0), "dependence"),
        "the sum of rows": (of(lambda g: (g.norm(dim=1) - 1).square().sum()), "reduction"),
        "one norm": (of(lambda g: (g.norm() - 1).square()), "reduction"),
        "the mean norm": (of(lambda g: (g.norm(dim=1).mean() - 1).square()), "reduction"),
        "every coordinate": (of(lambda g: (g - 1).square().mean()), "reduction"),
        "slopes of the mean": (of(lambda g: ((g / len(g)).norm(dim=1) - 1).square().mean()), "reduction"),
        "no root": (of(lambda g: (g.square().sum(1) - 1).square().mean()), "spread"),
        "no 1": (of(lambda g: g.square().sum(1).mean()), "constant"),
        "half": (of(lambda g: (g.norm(dim=1) - 1).square().mean() / 2), ""),
        "one-sided": (of(lambda g: (g.norm(dim=1) - 1).clamp(min=0).square().mean()), "one-to-one"),
        "sign": (lambda h, x, weight: -double_backward(h, x, weight), "sign"),
        "absolute": (of(lambda g: (g.norm(dim=1) - 1).abs().mean()), "spread"),
        "norm over the rows": (of(lambda g: (g.norm(dim=0) - 1).square().mean()), "reduction"),
        "the norm without its root's slope": (
            of(lambda g: ((g.square().sum(1) / g.norm(dim=1).detach()) - 1).square().mean()),
            "",
        ),
        "without the last row": (lambda h, x, weight: double_backward(h, x[:-1], weight), ""),
    },
}
