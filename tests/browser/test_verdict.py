"""The sentence on a race of optimisers: who won, whether it may be chance, and who fell by the way."""

import pytest

VERDICT = """
async ([address, runs]) => {
  const { verdict } = await import(address);
  return verdict(runs.map(([optimizer, accuracy, loss]) => ({
    optimizer, state: accuracy === null ? "diverged" : "finished", validation: { accuracy: accuracy ?? 0.1, loss: loss ?? 0.5 }, validation_images: 1000 })));
}
"""
# Of 1,000 images a lead of 1.3 points may be chance: two standard errors.
CASES = {
    "a winner of two": ([("sgd", 0.80), ("adam", 0.95)], "adam won with 95.0% against 80.0% of sgd: it joins momentum with a step of its own for each weight, "
                        "so that pixels which seldom have ink learn as fast as the busy ones."),
    "a winner, and who came last": ([("sgd", 0.70), ("adam", 0.95), ("momentum", 0.90)], "adam won with 95.0% against 90.0% of momentum: it joins momentum with a step "
                                    "of its own for each weight, so that pixels which seldom have ink learn as fast as the busy ones; "
                                    "sgd came last with 70.0%, as one step size for all weights is too small for most of them."),
    "a tie of two": ([("adam", 0.95), ("rmsprop", 0.945)], "adam and rmsprop end level at about 95.0%; what is between them may be chance."),
    "a tie at the very same share": ([("adam", 0.95, 0.3), ("rmsprop", 0.95, 0.2)], "rmsprop and adam end level at about 95.0%; what is between them may be chance."),
    "a lead that just is none": ([("adam", 0.950), ("rmsprop", 0.938)], "adam and rmsprop end level at about 95.0%; what is between them may be chance."),
    "a lead that just is one": ([("rmsprop", 0.950), ("adam", 0.937)], "rmsprop won with 95.0% against 93.7% of adam: each weight's step is measured by its own recent "
                                "gradients, so that pixels which seldom have ink learn as fast as the busy ones."),
    "a tie at the head, and one behind": ([("adagrad", 0.80), ("adam", 0.95), ("adamw", 0.946), ("nesterov", 0.941)], "adam, adamw and nesterov end level at about 95.0%; what "
                                          "is between them may be chance; adagrad came last with 80.0%, as its steps only ever shrink, and it runs out of breath."),
    "one that diverged": ([("sgd", None), ("adam", 0.95), ("momentum", 0.90)], "adam won with 95.0% against 90.0% of momentum: it joins momentum with a step of its own for "
                          "each weight, so that pixels which seldom have ink learn as fast as the busy ones. sgd diverged: the learning rate is too high for it."),
    "a sole survivor": ([("sgd", None), ("momentum", None), ("adam", 0.95)], "adam won with 95.0%, as the only one to arrive. sgd and momentum diverged: "
                        "the learning rate is too high for them."),
    "nobody": ([("sgd", None), ("adam", None)], "Nobody won. sgd and adam diverged: the learning rate is too high for them."),
}


@pytest.mark.parametrize("runs, words", CASES.values(), ids=CASES)
def test_the_verdict_on_a_race(visit, dist, runs, words):
    [file] = dist.glob("**/js/learn/verdict.js")
    assert visit.page.evaluate(VERDICT, [f"{visit.url}{file.relative_to(dist).as_posix()}", [[*run, None][:3] for run in runs]]) == words
