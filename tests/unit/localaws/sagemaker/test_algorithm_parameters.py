"""What the built-in algorithms of the embedded AWS take, against what a team file may say."""

from __future__ import annotations

import pytest

from atelier.spec.hyperparameters import Declaration, of_algorithm
from localaws.sagemaker.container.algorithms import blazingtext_parameters, xgboost_parameters
from localaws.sagemaker.container.algorithms.job import Parameter, UserError

MODES = sorted(blazingtext_parameters.MODES)
XGBOOST = of_algorithm("xgboost").hyperparameters
LOCAL = xgboost_parameters._PARAMETERS


def taken(name: str, one: Declaration) -> tuple[object, ...]:
    """The facts of a declaration."""
    return name, one.default, one.minimum, one.maximum, one.above, set(one.choices or ()), one.required


def taken_by_aws(name: str, one: Parameter) -> tuple[object, ...]:
    """The same facts of the algorithm's own."""
    return name, one.default, one.low, one.high, one.above, set(one.choices), one.required


@pytest.mark.parametrize("mode", MODES)
def test_blazingtext_has_one_declaration(mode):
    """Names, defaults and bounds of each mode."""
    spec = {
        name: taken(name, one)
        for name, one in of_algorithm("blazingtext").hyperparameters.items()
        if one.misplaced({"mode": mode}) is None
    }
    local = {
        name: taken_by_aws(name, one)
        for name, one in blazingtext_parameters.of_mode(mode).items()
        if not name.startswith("_")
    }
    assert spec == local


def test_the_algorithm_refuses_what_a_team_file_may_not_say():
    """The same value, by the same bound."""
    learning_rate = of_algorithm("blazingtext").hyperparameters["learning_rate"]
    assert learning_rate.wrong(0) == ("must be above 0", "write more than 0")
    with pytest.raises(UserError, match=r"learning_rate: 0.0 is not in \(0, \+inf\)"):
        blazingtext_parameters.validated({"mode": "supervised", "learning_rate": "0"})


@pytest.mark.parametrize("name", sorted(set(XGBOOST) & set(LOCAL)))
def test_no_team_file_may_say_what_xgboost_refuses(name):
    """What lies beyond the algorithm's own bounds is beyond the declared ones."""
    own = LOCAL[name]
    beyond = [
        own.low is not None and own.low - 1,
        own.high is not None and own.high + 1,
        own.above is not None and own.above,
    ]
    for value in (one for one in beyond if one is not False):
        assert own.problem(value)
        assert XGBOOST[name].wrong(value)
