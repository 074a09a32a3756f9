"""Update rules by file: in replays, studies and real runs as those of the package, and refused in one line."""

import pickle

import numpy as np
import pytest
import torch
from doc_pages import blocks, page
from runs import run
from values import eager_weights, weights_of

from rebuttal.base.errors import InputError
from rebuttal.core import update_rules
from rebuttal.core.update_rules import AdamW, described, rule
from rebuttal.processes.launcher import record
from rebuttal.processes.verification import verify
from rebuttal.replaying.engine import replay
from rebuttal.workloads import load

ADAMW = '''
from dataclasses import dataclass


@dataclass(frozen=True)
class Mine:
    """AdamW with a cosine to nothing over so many updates, after a warm-up."""

    updates: int
    warm_up: int = 3
    decay: float = 0.01

    def start(self, weights):
        return (weights, weights * 0, weights * 0, 0)

    def step(self, state, gradient, learning_rate):
        import math

        w, m, s, t = state
        over = (t - self.warm_up) / max(1, self.updates - self.warm_up)
        rate = learning_rate * ((t + 1) / self.warm_up if t < self.warm_up else (1 + math.cos(math.pi * over)) / 2)
        m, s = m * 0.9 + gradient * 0.1, s * 0.999 + gradient * gradient * 0.001
        step = m / ((s / (1 - 0.999 ** (t + 1))).sqrt() + 1e-8) / (1 - 0.9 ** (t + 1))
        return (w - w * (rate * self.decay) - step * rate, m, s, t + 1)
'''


@pytest.fixture
def own(project):
    """A project with two rules of its own."""
    (project / "lion.py").write_text(blocks(page("update_rules"), "python")[0])
    (project / "mine.py").write_text(ADAMW)
    return project


@pytest.fixture(scope="module")
def deep():
    return load("digits_deep").double()


@pytest.mark.parametrize(
    "given", [{"name": "file:lion.py"}, {"name": "file:mine.py", "updates": 8}], ids=["lion", "adamw"]
)
@pytest.mark.parametrize("method", ["asynchronous", "local_sgd", "gpipe"])
def test_replay_equals_the_eager_run(own, deep, given, method):
    made = rule(**given)
    timeline = run(method, updates=8)
    expected = eager_weights(method, {}, deep, 0.002, rule=made, updates=8)
    assert torch.equal(weights_of(timeline, deep, 0.002, rule=made, exact=True), expected)
    torch.testing.assert_close(weights_of(timeline, deep, 0.002, rule=made), expected, rtol=1e-9, atol=1e-9)


def test_the_package_s_adamw_from_a_file_is_the_package_s(own, deep):
    imports = "from dataclasses import dataclass\nfrom rebuttal.core.update_rules import AdamW\n\n\n"
    text = f"{imports}@dataclass(frozen=True)\n"
    (own / "copied.py").write_text(f"{text}class Copied(AdamW):\n    pass\n")
    how = {"schedule": {"decay": "cosine", "warm_up": 0.25}, "average": 0.9}
    timeline = run("synchronous", updates=8)
    found = weights_of(timeline, deep, 0.01, rule=rule("file:copied.py", **how))
    assert torch.equal(found, weights_of(timeline, deep, 0.01, rule=rule("adamw", **how)))
    assert isinstance(rule("file:copied.py"), AdamW)


def test_a_real_run_is_its_replay_and_is_verified_with_leave(own):
    made = rule("file:mine.py", updates=6)
    timeline = record(
        "all_reduce",
        workload="digits_mlp",
        workers=2,
        updates=6,
        learning_rate=0.003,
        rule=made,
        checksums_every=2,
    )
    assert timeline.about["rule"] == {"name": "file:mine.py", "updates": 6, "warm_up": 3, "decay": 0.01}
    assert set(timeline.about["own_code"]) == {"file:mine.py"}
    with pytest.raises(
        InputError, match=r"^trust: got 'no file for file:mine.py'.*the rule is none of ours$"
    ):
        verify(timeline)
    assert verify(timeline, trust=own / "mine.py") == 4
    (own / "mine.py").write_text(ADAMW + "\n")
    with pytest.raises(InputError, match="allowed: the file of the run"):
        verify(timeline, trust=own / "mine.py")


def test_it_is_made_again_in_another_process_and_of_its_description(own):
    made = rule("file:lion.py", beta=0.8)
    assert pickle.loads(pickle.dumps(made)) == made  # noqa: S301 - made here
    assert rule(**described(made)) == made
    assert (update_rules.remembered(made), update_rules.counts(rule("file:mine.py", updates=3))) == (1, True)


# --- refusals ----------------------------------------------------------------------------------------------------

NO_NUMBER = ADAMW.replace("weights * 0, weights * 0, 0", "weights.clone()")
NO_TUPLE = ADAMW.replace("(weights, weights * 0, weights * 0, 0)", "weights")
CASES = [
    (None, {}, "rule: got 'file:odd.py'; allowed: a Python file; there is none at this path"),
    (
        "x = 1\n",
        {},
        "rule: got 'file:odd.py', whose rules are none; allowed: a file that defines one frozen dataclass",
    ),
    (ADAMW, {}, "rule.odd.updates: got 'nothing'; allowed: a value, as it has no default"),
    (
        ADAMW,
        {"update": 3},
        "rule.odd: got 'update'; allowed: updates, warm_up, decay; did you mean 'updates'?",
    ),
    (NO_NUMBER, {"updates": 3}, "rule: got Mine, whose start fails on a number with AttributeError"),
    (NO_TUPLE, {"updates": 3}, "rule: got 'Mine, whose start gives 0.0'; allowed: a tuple"),
]


@pytest.mark.parametrize(("content", "options", "said"), CASES)
def test_what_is_no_rule_is_refused_in_one_line(project, content, options, said):
    if content is not None:
        (project / "odd.py").write_text(content)
    with pytest.raises(InputError) as caught:
        rule("file:odd.py", **options)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (", t + 1)", ")", "rule: got 'file:odd.py, whose step gives"),
        (
            "w, m, s, t = state",
            "w, m, s, t = state.no",
            "rule: got 'file:odd.py', whose step fails with AttributeError",
        ),
    ],
)
def test_a_step_that_fails_is_refused_before_a_run(project, old, new, said):
    (project / "odd.py").write_text(ADAMW.replace(old, new))
    with pytest.raises(InputError) as caught:
        replay(
            run("mini_batch", updates=2), learning_rates=[0.1], rule=rule("file:odd.py", updates=2), points=2
        )
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_a_rule_of_no_file_is_refused_before_a_real_run():
    class Odd:
        def start(self, weights):
            return (weights,)

    with pytest.raises(InputError, match=r"^rule: got 'Odd'; allowed: one of sgd, .*rule\('file:PATH.py'\)$"):
        record("mini_batch", workers=1, updates=1, rule=Odd())  # pyright: ignore[reportArgumentType]
    assert np.isfinite(described(rule("sgd", weight_decay=0.1))["weight_decay"])
