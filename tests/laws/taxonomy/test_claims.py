"""The law of claims passes those who call the model and catches those who do not."""

from functools import partial

from gmcourse.laws.taxonomy import claims
from gmcourse.protocols import Bounded, Density, Sampler, Unnormalised

ORDER = {"log_prob": "exact", "elbo": "bound", "energy": "unnormalised", "sample": "implicit"}


def asked(model, x, order=tuple(ORDER)):
    for name in order:
        try:
            getattr(model, name)(1 if name == "sample" else x)
        except (AttributeError, NotImplementedError):
            continue
        return ORDER[name]
    return "none"


def listed(model, x):
    protocols = {Density: "exact", Bounded: "bound", Unnormalised: "unnormalised", Sampler: "implicit"}
    return next((word for protocol, word in protocols.items() if isinstance(model, protocol)), "none")


def overwritten(model, x):
    x.zero_()
    return asked(model, x)


RIGHT = {claims.word_is_found_by_calling: (partial(asked), partial(lambda model, x: f" {asked(model, x).upper()}"))}
BUGS = {
    claims.word_is_found_by_calling: {
        "what it has": (listed, "dependence"),
        "samples first": (partial(asked, order=("sample", "log_prob", "elbo", "energy")), "direction"),
        "the energy before the bound": (partial(asked, order=("log_prob", "energy", "elbo", "sample")), "direction"),
        "no energy": (partial(asked, order=("log_prob", "elbo", "sample")), "one-to-one"),
        "always exact": (lambda model, x: "exact", ""),
        "another word": (lambda model, x: "explicit", "constant"),
        "a truth value": (lambda model, x: hasattr(model, "log_prob"), "container"),
        "none for all": (lambda model, x: "none", "one-to-one"),
        "what its own class has": (
            lambda model, x: asked(model, x, [name for name in ORDER if name in vars(type(model))]),
            "one-to-one",
        ),
        "a log-density above 0 refused": (
            lambda model, x: asked(model, x) if getattr(model, "log_prob", lambda x: -x)(x).max() <= 0 else "none",
            "one-to-one",
        ),
        "in place": (overwritten, "mutation"),
    }
}
