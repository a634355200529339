"""The law of NADE's gradients passes right answers and catches each planted bug."""

import torch

from gmcourse.autoregressive.nade_passes import nade_backward, nade_logits_by_state
from gmcourse.exercises.autoregressive.chain_rule import nade_backward as by_loop
from gmcourse.laws.autoregressive import nade
from gmcourse.probability import bernoulli_log_prob


def by_autograd(x, *parameters, leak=False, logs=False):
    leaves = [parameter.clone().requires_grad_() for parameter in parameters]
    weight, output, bias, hidden_bias = leaves
    if leak:
        a = hidden_bias + (x[:, :, None] * weight).cumsum(1)
        logits = (a.sigmoid() * output).sum(2) + bias
    else:
        logits = nade_logits_by_state(x, *leaves)
    p = logits.sigmoid()
    log_prob = (x * p.log() + (1 - x) * (1 - p).log()) if logs else bernoulli_log_prob(x, logits)
    return torch.autograd.grad(-log_prob.sum(), leaves)


def by_einsum(late=0, steep=lambda h: h * (1 - h), own=torch.tril, weigh=True):
    def answer(x, weight, output, bias, hidden_bias):
        dims = len(bias)
        a = torch.einsum("de,ne,eh->ndh", torch.ones(dims, dims).tril(-1), x, weight) + hidden_bias
        h = a.sigmoid()
        error = ((h * output).sum(2) + bias).sigmoid() - x
        slopes = error[:, :, None] * output * steep(h)
        reach = own(torch.ones(dims, dims), -1 + late)
        seen = x if weigh else torch.ones_like(x)
        of_weight = torch.einsum("ne,de,ndh->eh", seen, reach, slopes)
        return of_weight, torch.einsum("nd,ndh->dh", error, h), error.sum(0), slopes.sum((0, 1))

    return answer


def changed(change):
    return lambda *inputs: tuple(change(list(nade_backward(*inputs)), inputs))


RIGHT = {nade.nade_gradients: (nade_backward, by_loop, by_autograd, by_einsum())}
BUGS = {
    nade.nade_gradients: {
        "G_d at W_d": (by_einsum(late=1), "dependence"),
        "G_{d+2} at W_d": (by_einsum(late=-1), "dependence"),
        "a bit sees itself": (lambda *inputs: by_autograd(*inputs, leak=True), "dependence"),
        "h for h(1 − h)": (by_einsum(steep=lambda h: h), "constant"),
        "no slope of σ": (by_einsum(steep=torch.ones_like), "constant"),
        "σ of h": (by_einsum(steep=lambda h: h.sigmoid() * (1 - h.sigmoid())), "constant"),
        "zeros, too": (by_einsum(weigh=False), "one-to-one"),
        "of ln p": (changed(lambda parts, _: [-part for part in parts]), "sign"),
        "a mean": (changed(lambda parts, inputs: [part / len(inputs[0]) for part in parts]), "reduction"),
        "V first": (changed(lambda parts, _: [parts[1], parts[0], *parts[2:]]), "direction"),
        "the earlier bits": (by_einsum(late=2, own=torch.triu), "dependence"),
        "three of them": (changed(lambda parts, _: parts[:3]), "container"),
        "each row's": (changed(lambda parts, inputs: [parts[0].expand(len(inputs[0]), -1, -1), *parts[1:]]), "shape"),
        "logarithms of σ": (lambda *inputs: by_autograd(*inputs, logs=True), "not-finite"),
        "clipped": (changed(lambda parts, _: [part.clamp(-20, 20) for part in parts]), "overflow"),
        "no gradient in c": (changed(lambda parts, _: [*parts[:3], 0 * parts[3]]), ""),
    },
}
