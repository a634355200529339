"""Every law of class terms passes the package's own functions and catches each planted bug."""

import torch
from torch.nn.functional import cross_entropy, nll_loss, softplus

from gmcourse.gan.conditional import auxiliary_q
from gmcourse.laws.gan import auxiliary as laws


def losses(h_real, h_fake, real, fake, given, weight):
    of_real, of_fake = cross_entropy(real, given), cross_entropy(fake, given)
    game = softplus(-h_real).mean() + softplus(h_fake).mean()
    return game + weight * (of_real + of_fake), softplus(-h_fake).mean() + weight * of_fake


def by_rows(h_real, h_fake, real, fake, given, weight):
    of_real, of_fake = (nll_loss(logits.log_softmax(1), given) for logits in (real, fake))
    game = -torch.sigmoid(h_real).log().mean() - torch.sigmoid(-h_fake).log().mean()
    return [game + weight * of_real + weight * of_fake, -torch.sigmoid(h_fake).log().mean() + weight * of_fake]


def with_terms(critic, generator):
    """The losses, with other factors on the class terms of data and of fakes."""

    def slip(h_real, h_fake, real, fake, given, weight):
        of_real, of_fake = cross_entropy(real, given), cross_entropy(fake, given)
        game = softplus(-h_real).mean() + softplus(h_fake).mean()
        of_critic = game + weight * (critic[0] * of_real + critic[1] * of_fake)
        return of_critic, softplus(-h_fake).mean() + weight * (generator[0] * of_real + generator[1] * of_fake)

    return slip


def tilted(p, posterior, weight):
    q = p * posterior**weight
    return q / q.sum()


RIGHT = {
    laws.class_terms_are_minimised_by_both: (losses, by_rows),
    laws.class_term_tilts: (auxiliary_q,),
}
BUGS = {
    laws.class_terms_are_minimised_by_both: {
        "the generator maximises": (with_terms((1, 1), (0, -1)), "sign"),
        "the critic maximises": (with_terms((-1, -1), (0, 1)), "sign"),
        "the critic learns from fakes alone": (with_terms((0, 1), (0, 1)), "direction"),
        "the critic learns from data alone": (with_terms((1, 0), (0, 1)), "dependence"),
        "the generator is not told": (with_terms((1, 1), (0, 0)), "dependence"),
        "the generator's term of data": (with_terms((1, 1), (1, 0)), "one-to-one"),
        "the weight on all": (
            lambda a, b, r, f, c, w: tuple(w * part for part in losses(a, b, r, f, c, 1.0)),
            "reduction",
        ),
        "no weight": (lambda a, b, r, f, c, w: losses(a, b, r, f, c, 1.0), "reduction"),
        "fakes cut off": (lambda a, b, r, f, c, w: losses(a, b, r, f.detach(), c, w), "gradient"),
        "one loss": (lambda a, b, r, f, c, w: losses(a, b, r, f, c, w)[0], "container"),
        "the first class for all": (lambda a, b, r, f, c, w: losses(a, b, r, f, c[:1].expand_as(c), w), ""),
    },
    laws.class_term_tilts: {
        "p, whatever the term": (lambda p, posterior, w: p, "dependence"),
        "the reverse KL's tilt": (tilted, "direction"),
        "the other way": (lambda p, posterior, w: tilted(p, posterior, -w), "sign"),
        "not a table": (lambda p, posterior, w: p * posterior**w, "reduction"),
        "twice the weight": (lambda p, posterior, w: auxiliary_q(p, posterior, 2 * w), ""),
        "one number": (lambda p, posterior, w: p[0], "shape"),
    },
}
