"""Optimisers, clipping and schedules: PyTorch's values over several steps, and going on from a saved state."""

import math

import numpy as np
import pytest
from references import assert_clipping_matches, assert_optimizer_matches, assert_schedule_matches, load_references

from inkling.optimizers import OPTIMIZERS, SCHEDULES, SGD, Adam, Momentum, add_l2, clip_gradients, one_cycle

STEPS, CLIPPINGS, CURVES = load_references("optimizer"), load_references("clipping"), load_references("schedule")


@pytest.mark.parametrize("name", STEPS)
def test_steps_match_pytorch(name):
    assert_optimizer_matches(STEPS[name])


def test_every_optimizer_has_a_pytorch_reference():
    assert {reference["name"] for reference in STEPS.values()} == OPTIMIZERS.keys()


@pytest.mark.parametrize("name", CLIPPINGS)
def test_clipping_matches_pytorch(name):
    assert_clipping_matches(CLIPPINGS[name])


@pytest.mark.parametrize("name", CURVES)
def test_schedule_matches_pytorch(name):
    assert_schedule_matches(CURVES[name])


def pairs_of(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [(rng.standard_normal(shape).astype(np.float32), rng.standard_normal(shape).astype(np.float32)) for shape in shapes]


@pytest.mark.parametrize("kind", OPTIMIZERS.values())
def test_a_step_changes_the_parameters_in_place_and_leaves_the_gradients(kind):
    pairs = pairs_of((3, 2), (2,))
    before = [(param.copy(), grad.copy()) for param, grad in pairs]
    kind().step(pairs)
    for (param, grad), (param_before, grad_before) in zip(pairs, before):
        assert (param != param_before).all() and (grad == grad_before).all()
        assert param.dtype == np.float32


@pytest.mark.parametrize("kind", OPTIMIZERS.values())
def test_finds_the_bottom_of_a_narrow_valley(kind):
    # loss = x^2 / 2 + 10 y^2, from (1, 1)
    position, slope = np.ones(2), np.array([1.0, 20.0])
    optimizer = kind(learning_rate=0.02)
    for step in range(2000):
        optimizer.learning_rate = 0.02 * (1 - step / 2000) * (10 if kind is OPTIMIZERS["adagrad"] else 1)
        optimizer.step([(position, slope * position)])
    assert np.abs(position).max() < 0.02


@pytest.mark.parametrize("kind", OPTIMIZERS.values())
@pytest.mark.parametrize("n_before", [0, 1, 3])
def test_a_saved_state_goes_on_as_if_never_stopped(kind, n_before):
    whole, first = pairs_of((3, 2), (2,)), pairs_of((3, 2), (2,))
    rng = np.random.default_rng(4)
    gradients = [[rng.standard_normal(param.shape).astype(np.float32) for param, _ in whole] for _ in range(n_before + 2)]

    def advance(optimizer, pairs, steps):
        for grads in steps:
            optimizer.step([(param, grad) for (param, _), grad in zip(pairs, grads)])

    advance(kind(), whole, gradients)
    optimizer, resumed = kind(), kind()
    advance(optimizer, first, gradients[:n_before])
    resumed.load_state(optimizer.state(), first)
    advance(resumed, first, gradients[n_before:])
    assert all((a == b).all() for (a, _), (b, _) in zip(whole, first))


def test_a_loaded_state_is_a_copy():
    pairs = pairs_of((2, 2))
    optimizer, other = Momentum(), Momentum()
    optimizer.step(pairs)
    state = optimizer.state()
    velocity = state["0.velocity"].copy()
    other.load_state(state, pairs)
    other.step(pairs)
    assert (optimizer.state()["0.velocity"] == velocity).all()


def test_a_state_is_arrays_that_npz_can_hold(tmp_path):
    pairs = pairs_of((2, 3), (3,))
    optimizer = Adam()
    optimizer.step(pairs)
    np.savez(tmp_path / "state.npz", **optimizer.state())
    with np.load(tmp_path / "state.npz", allow_pickle=False) as state:
        assert set(state) == {"n_steps", "0.mean", "0.mean_square", "1.mean", "1.mean_square"}
        other = Adam()
        other.load_state(state, pairs)
    assert other.n_steps == 1


def test_a_state_of_another_network_is_refused_by_name():
    optimizer = Momentum()
    optimizer.step(pairs_of((2, 3)))
    with pytest.raises(ValueError, match=r"'0.velocity' is \(2, 3\); the parameter is \(4, 3\)"):
        Momentum().load_state(optimizer.state(), pairs_of((4, 3)))


def test_a_step_with_another_number_of_parameters_is_refused():
    optimizer = SGD()
    optimizer.step(pairs_of((2,), (3,)))
    with pytest.raises(ValueError):
        optimizer.step(pairs_of((2,)))


def test_l2_pulls_weights_but_not_biases():
    pairs = [(np.full((2, 2), 3.0), np.ones((2, 2))), (np.full(2, 3.0), np.ones(2))]
    add_l2(pairs, 0.5)
    assert (pairs[0][1] == 2.5).all() and (pairs[1][1] == 1).all()


def test_clipping_leaves_short_gradients_as_they_are():
    grads = [np.array([3.0, 0]), np.array([[4.0]])]
    assert clip_gradients([(grad, grad) for grad in grads], 5) == 5
    assert grads[0].tolist() == [3, 0] and grads[1].tolist() == [[4]]


def test_clipping_scales_all_gradients_alike():
    grads = [np.array([3.0, 0]), np.array([[4.0]])]
    assert clip_gradients([(grad, grad) for grad in grads], 1) == 5
    np.testing.assert_allclose(grads[0], [0.6, 0])
    np.testing.assert_allclose(grads[1], [[0.8]])


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("total_steps", [1, 2, 7, 1000])
def test_schedules_stay_between_zero_and_their_peak(name, total_steps):
    schedule = SCHEDULES[name](0.1, total_steps)
    learning_rates = [schedule(step) for step in range(total_steps)]
    assert all(0 < rate <= 0.1 + 1e-12 for rate in learning_rates)
    assert all(math.isfinite(schedule(step)) for step in (total_steps, total_steps + 5))


def test_constant_schedule_never_changes():
    assert {SCHEDULES["constant"](0.1, 10)(step) for step in range(10)} == {0.1}


def test_step_schedule_drops_three_times():
    rates = [SCHEDULES["step"](1.0, 40)(step) for step in range(40)]
    np.testing.assert_allclose(rates, [1] * 10 + [0.3] * 10 + [0.09] * 10 + [0.027] * 10)


def test_one_cycle_rises_to_its_peak_once_and_falls_to_almost_nothing():
    rates = [one_cycle(0.1, 200, warmup=0.25)(step) for step in range(200)]
    assert rates[0] == pytest.approx(0.1 / 25) and rates[-1] == pytest.approx(0.1 / 25 / 1e4)
    assert rates[50] == max(rates) == pytest.approx(0.1)
    assert (np.diff(rates[:51]) > 0).all() and (np.diff(rates[50:]) < 0).all()
