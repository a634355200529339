"""Training step by step: what a loop over `descend` sees, may do, and may not spoil."""

import pytest
import torch
from torch import nn

from gmcourse.gan import GAN
from gmcourse.gan.losses import wgan_critic_loss, wgan_generator_loss
from gmcourse.nets import mlp
from gmcourse.training import Player, adam_pair, batch_rows, descend, fit, fit_adversarial, game

X = torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
PLAN = {"batch_size": 10, "lr": 1e-2, "seed": 3}


class Model(nn.Module):
    """A regression of x on itself with dropout and noise, in two terms; counts its calls of `after_step`."""

    def __init__(self, terms=False):
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.3), nn.Linear(4, 3))
        self.terms, self.modes, self.after = terms, [], []

    def loss(self, x):
        self.modes.append(self.training)
        error = ((self.net(x) + 0.1 * torch.randn_like(x) - x) ** 2).mean()
        size = 0.1 * sum(p.square().sum() for p in self.parameters())
        return {"error": error, "size": size} if self.terms else torch.stack([error, size]).sum()

    def after_step(self):
        self.after.append(self.net[0].weight.detach().clone())


class Game(nn.Module):
    """A generator that shifts noise and a critic with a slope, each loss with a term of the name given."""

    def __init__(self, names=("reach", "pull")):
        super().__init__()
        self.shift, self.slope = nn.Parameter(torch.zeros(3)), nn.Parameter(torch.zeros(3))
        self.names, self.after = names, []

    def gap(self, x):
        return ((self.shift + torch.randn_like(x) - x) * self.slope).sum(1).mean()

    def critic_loss(self, x):
        return {self.names[0]: self.gap(x), "bend": 0.1 * self.slope.square().sum()}

    def generator_loss(self, x):
        return {self.names[1]: -self.gap(x)}

    def critic_parameters(self):
        return [self.slope]

    def generator_parameters(self):
        return [self.shift]

    def after_step(self):
        self.after.append((self.slope.detach().clone(), self.shift.detach().clone()))


def same_weights(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_a_loop_sees_each_step_and_what_it_draws_or_switches_changes_nothing():
    fitted, watched = Model(), Model()
    history = fit(fitted, (X,), steps=12, progress=False, **PLAN)
    before, seen = torch.get_rng_state(), []
    for state in descend(watched, (X,), steps=12, **PLAN):
        assert torch.equal(torch.get_rng_state(), before)
        torch.randn(5)
        watched.eval()
        before = torch.get_rng_state()
        seen.append(state)
    assert [state.step for state in seen] == list(range(12))
    assert [state.losses for state in seen] == [{"loss": value} for value in history["loss"]]
    assert all(torch.equal(state.batch[0], X[batch_rows(50, 10, 3, state.step)]) for state in seen)
    assert all(watched.modes)
    assert not watched.training
    assert same_weights(fitted, watched)


def test_a_run_is_a_plain_loop_after_one_seed():
    fitted, plain = Model(), Model()
    history = fit(fitted, (X,), steps=7, progress=False, **PLAN)
    adam, losses = torch.optim.Adam(plain.parameters(), lr=1e-2), []
    torch.manual_seed(3)
    for step in range(7):
        loss = plain.loss(X[batch_rows(50, 10, 3, step)])
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    assert losses == history["loss"]
    assert same_weights(fitted, plain)


def test_a_loop_that_was_left_leaves_evaluation_mode_and_goes_on_from_its_state():
    whole, parts = Model(), Model()
    players = (Player("loss", torch.optim.Adam(parts.parameters())),)
    expected = [state.losses for state in descend(whole, (X,), steps=12, **PLAN)]
    for state in descend(parts, (X,), steps=12, players=players, **PLAN):
        if state.step == 6:
            break
    assert not parts.training
    rest = [s.losses for s in descend(parts, (X,), steps=12, players=players, after=state, **PLAN)]
    assert rest == expected[7:]
    assert same_weights(whole, parts)


def test_named_terms_are_summed_and_logged():
    one, many = Model(), Model(terms=True)
    alone = fit(one, (X,), steps=5, progress=False, **PLAN)
    history = fit(many, (X,), steps=5, progress=False, **PLAN)
    assert history.keys() == {"loss", "error", "size"}
    assert history["loss"] == alone["loss"]
    assert [a + b for a, b in zip(history["error"], history["size"])] == pytest.approx(alone["loss"])
    assert history["size"][0] == pytest.approx(0.1 * sum(p.square().sum().item() for p in Model().parameters()))
    assert same_weights(one, many)


def test_terms_of_a_game_are_means_over_its_updates():
    model = Game()
    pair = tuple(torch.optim.SGD([p]) for p in (model.slope, model.shift))
    history = fit_adversarial(
        model, (X,), steps=3, critic_steps=2, generator_steps=3, optimizers=pair, progress=False, **PLAN
    )
    assert history.keys() == {"critic_loss", "generator_loss", "reach", "bend", "pull"}
    assert all(len(values) == 3 for values in history.values())
    slopes = [torch.zeros(3), *(slope for slope, _ in model.after)]
    assert len(model.after) == 3 * (2 + 3)
    bends = [0.1 * slope.square().sum().item() for slope in (slopes[5], slopes[6])]  # before the second step's two
    assert history["bend"][1] == pytest.approx(sum(bends) / 2)
    assert history["critic_loss"] == pytest.approx([a + b for a, b in zip(history["reach"], history["bend"])])


@pytest.mark.parametrize(
    "model, message",
    [
        (Game(("reach", "bend")), "generator_loss: got a term named 'bend'"),
        (Game(("reach", "critic_loss")), "generator_loss: got a term named 'critic_loss'"),
        (Game(("critic_loss", "pull")), "critic_loss: got a term of that name"),
    ],
)
def test_two_terms_of_one_name_are_refused(model, message):
    with pytest.raises(ValueError, match=message):
        next(descend(model, (X,), steps=1, **PLAN))


def test_after_step_follows_each_update():
    model = Model()
    weights = [model.net[0].weight.detach().clone() for _ in descend(model, (X,), steps=4, **PLAN)]
    assert len(model.after) == 4
    assert all(torch.equal(a, b) for a, b in zip(model.after, weights))
    play = Game()
    for _ in descend(play, (X,), steps=1, players=game(play, critic_steps=2), **PLAN):
        pass
    assert [slope.any().item() for slope, _ in play.after] == [True, True, True]
    assert [shift.any().item() for _, shift in play.after] == [False, False, True]


def test_a_player_s_pace_multiplies_its_rate():
    play = GAN(mlp([2, 8, 2]), mlp([2, 8, 1]), 2)
    pair = adam_pair(play)
    fit_adversarial(
        play, (X[:, :2],), steps=3, lr=lambda k: 1e-3 / (k + 1), batch_size=10, optimizers=pair, critic_pace=4.0
    )
    rates = [optimizer.param_groups[0]["lr"] for optimizer in pair]
    assert rates == pytest.approx([4e-3 / 3, 1e-3 / 3])


def test_a_loss_that_is_looked_at_changes_no_weight():
    torch.manual_seed(0)
    losses = {"critic_loss": wgan_critic_loss, "generator_loss": wgan_generator_loss}
    model = GAN(mlp([2, 8, 2]), mlp([2, 8, 1]), 2, clip=0.1, **losses)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1)
    before = [parameter.clone() for parameter in model.parameters()]
    model.critic_loss(X[:, :2]).backward()
    model.generator_loss(X[:, :2]).backward()
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters()))


def test_no_two_seeds_share_an_epoch():
    orders = [tuple(torch.cat([batch_rows(50, 10, seed, 5 * epoch + i) for i in range(5)]).tolist())
              for seed in range(6) for epoch in range(6)]  # fmt: skip
    assert len(set(orders)) == 36


def test_a_game_is_played_without_being_asked():
    watched, played = Game(), Game()
    states = list(descend(watched, (X,), steps=4, **PLAN))
    history = fit_adversarial(played, (X,), steps=4, progress=False, **PLAN)
    assert [state.losses["critic_loss"] for state in states] == history["critic_loss"]
    assert same_weights(watched, played)


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: fit(Game(), (X,), steps=1, **PLAN), TypeError, "model: got Game, .* fit_adversarial"),
        (lambda: fit(nn.Linear(3, 3), (X,), steps=1, **PLAN), TypeError, "got Linear, .* expected a Trainable model$"),
        (lambda: fit_adversarial(Model(), (X,), steps=1, **PLAN), TypeError, "model: got Model, .*; for its loss, fit"),
        (lambda: next(descend(nn.Linear(3, 3), (X,), steps=1, **PLAN)), TypeError, "model: got Linear"),
        (lambda: next(descend(Model(), (X.double(),), steps=1, **PLAN)), TypeError, "data: got dtype torch.float64"),
        (lambda: next(descend(Model(), X, steps=1, **PLAN)), TypeError, "data: got Tensor, expected a tuple"),
        (lambda: next(descend(Model(), (X[:5],), steps=1, **PLAN)), ValueError, "batch_size: got 10, expected 1 to 5"),
        (lambda: fit(Model(), (X.double(),), steps=1, **PLAN), TypeError, "data: got dtype torch.float64, .*float32"),
        (lambda: fit(Model().double(), (X,), steps=1, **PLAN), TypeError, "data: got dtype torch.float32, .*float64"),
        (
            lambda: fit(Model(), (X,), steps=1, optimizer=torch.optim.Adam(Model().parameters()), **PLAN),
            ValueError,
            "optimizer: got one that holds none of the parameters",
        ),
        (
            lambda: fit_adversarial(Game(), (X,), steps=1, optimizers=adam_pair(Game()), **PLAN),
            ValueError,
            r"optimizers\[0\]: got one that holds none",
        ),
    ],
)
def test_what_cannot_be_trained_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_swapped_optimisers_are_refused():
    model = Game()
    with pytest.raises(ValueError, match=r"optimizers\[0\]"):
        fit_adversarial(model, (X,), steps=1, optimizers=adam_pair(model)[::-1], **PLAN)
    critic = adam_pair(model)[0]
    for other in (critic, adam_pair(Game())[1]):
        with pytest.raises(ValueError, match=r"optimizers\[1\]"):
            fit_adversarial(model, (X,), steps=1, optimizers=(critic, other), **PLAN)


def test_whole_numbers_may_stand_beside_the_data():
    class Labelled(Model):
        def loss(self, x, labels):
            return super().loss(x) * labels.double().mean().float()

    history = fit(Labelled(), (X, torch.ones(50, dtype=torch.long)), steps=2, progress=False, **PLAN)
    assert len(history["loss"]) == 2


def test_a_part_that_comes_in_evaluation_mode_is_trained_in_train_mode():
    """A network that an earlier training left in evaluation mode, in a new model around it; one put there inside."""
    model, modes = Model(), []
    model.net.eval()
    model.net[1].register_forward_pre_hook(lambda part, _: modes.append(part.training))
    for _ in descend(model, (X,), steps=3, **PLAN):
        model.net.eval()
    assert modes == [True] * 3
    assert not any(part.training for part in model.modules())
