"""Hyperparameters: one declaration, whoever launches the script."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

import contract
from contract import UserError
from localaws.sagemaker.container.contract import decode_hyperparameters, to_arguments

DECLARED = {
    "epochs": {"type": "integer", "default": 20, "minimum": 1, "maximum": 1000},
    "learning_rate": {"type": "number", "default": 0.1, "minimum": 1e-9, "maximum": 1},
    "optimizer": {"type": "string", "default": "adam", "choices": ["adam", "sgd"]},
    "nesterov": {"type": "boolean", "default": False},
}
VALUES = {
    "integer": st.integers(-(10**15), 10**15),
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "boolean": st.booleans(),
    "string": st.text(),
}
NAMES = st.text(string.ascii_letters + string.digits + "_", min_size=1).filter(
    lambda name: name[0] in string.ascii_letters and not name.startswith("sagemaker_") and name != "model_dir"
)


@pytest.fixture
def script(tmp_path):
    """A script whose declaration is DECLARED."""
    return declare(tmp_path, DECLARED)


def declare(folder, declared):
    """Write a declaration; the script beside it."""
    (folder / "hyperparameters.json").write_text(json.dumps(declared), encoding="utf-8")
    return folder / "train.py"


@st.composite
def declarations_and_values(draw):
    """A declaration, and a value of the right type for some of its names."""
    kinds = draw(st.dictionaries(NAMES, st.sampled_from(list(VALUES)), max_size=5))
    declared = {name: {"type": kind, "default": None} for name, kind in kinds.items()}
    given_names = [name for name in kinds if draw(st.booleans())]
    return declared, {name: draw(VALUES[kinds[name]]) for name in given_names}


def encoded(values):
    """Values as the SageMaker SDK puts them into a job: each as JSON."""
    return {name: json.dumps(value) for name, value in values.items()}


def read_or_refusal(script, arguments):
    """What is read from a command line, or the UserError."""
    try:
        return contract.parameters(script, arguments)
    except UserError as error:
        return error


@given(declarations_and_values())
def test_values_arrive_through_the_toolkits_launcher(tmp_path_factory, case):
    """Sorted, `-k` for one letter, `True` for true: what AWS's training toolkit makes of a job's values."""
    declared, values = case
    script = declare(tmp_path_factory.mktemp("script"), declared)
    raw = {**encoded(values), "sagemaker_program": '"train.py"', "sagemaker_region": '"eu-west-1"'}
    arguments = to_arguments(decode_hyperparameters(raw))
    assert vars(contract.parameters(script, arguments)) == {**dict.fromkeys(declared), **values}


@given(declarations_and_values())
def test_values_arrive_through_the_sdks_own_launcher(tmp_path_factory, case):
    """In the order given, each value as JSON: what the third generation of the SageMaker SDK does."""
    declared, values = case
    script = declare(tmp_path_factory.mktemp("script"), declared)
    arguments = [part for name, value in encoded(values).items() for part in (f"--{name}", value)]
    assert vars(contract.parameters(script, arguments)) == {**dict.fromkeys(declared), **values}


@given(
    st.lists(st.text() | st.sampled_from(["--epochs", "--nesterov", "-e", "true", "3", "--learning_rate=1"]))
)
def test_nothing_but_a_user_error_comes_of_a_wrong_command_line(tmp_path_factory, arguments):
    """Whatever is passed: values of the declared types within their bounds, or one line that says why not."""
    script = declare(tmp_path_factory.getbasetemp(), DECLARED)
    found = read_or_refusal(script, [part for part in arguments if part not in ("-h", "--help")])
    if isinstance(found, UserError):
        assert "hyperparameter" in str(found)
    else:
        assert 1 <= found.epochs <= 1000
        assert isinstance(found.epochs, int)
        assert found.optimizer in ("adam", "sgd")


def test_defaults_stand_in_for_what_is_not_given(script):
    """A job may leave all of them out."""
    expected = {"epochs": 20, "learning_rate": 0.1, "optimizer": "adam", "nesterov": False}
    assert vars(contract.parameters(script, [])) == expected


def test_what_launchers_add_for_themselves_is_passed_over(script):
    """The toolkit's own, a tuning job's objective, and the model_dir of TensorFlow's estimator."""
    arguments = [
        "--model_dir",
        "s3://bucket/model",
        "--_tuning_objective_metric",
        "rmse",
        "--sagemaker_job_name",
        "x",
    ]
    assert contract.parameters(script, [*arguments, "--epochs", "3"]).epochs == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epochs", "0"], r"hyperparameter epochs: 0 is below its minimum of 1"),
        (["--epochs", "1001"], r"hyperparameter epochs: 1001 is above its maximum of 1000"),
        (["--epochs", "many"], r"hyperparameter epochs: 'many' is not of type integer"),
        (["--epochs", "2.5"], r"hyperparameter epochs: '2\.5' is not of type integer"),
        (["--epochs", "inf"], r"hyperparameter epochs: 'inf' is not of type integer"),
        (["--learning_rate", "nan"], r"hyperparameter learning_rate: 'nan' is not of type number"),
        (["--nesterov", "yes"], r"hyperparameter nesterov: 'yes' is not of type boolean"),
        (["--optimizer", "lion"], r"hyperparameter optimizer: 'lion' is none of adam, sgd"),
        (["--epoch", "3"], r"hyperparameter 'epoch' is unknown: did you mean 'epochs'\?"),
        (["--zzz", "3"], r"hyperparameter 'zzz' is unknown: there are epochs, learning_rate, "),
        (["--epochs"], r"hyperparameters: argument --epochs: expected one argument"),
    ],
)
def test_a_wrong_value_is_refused_by_name(script, arguments, message):
    """The hyperparameter, the value, and what is wrong with it."""
    with pytest.raises(UserError, match=message):
        contract.parameters(script, arguments)


def test_a_hyperparameter_without_a_default_must_be_given(tmp_path):
    """A job that leaves it out is told which."""
    script = declare(tmp_path, {"topics": {"type": "integer"}})
    with pytest.raises(UserError, match="required: --topics"):
        contract.parameters(script, [])


def test_whole_numbers_may_come_as_floats(script):
    """JSONata and tuning jobs write 20 as 20.0 or 2e1."""
    assert contract.parameters(script, ["--epochs", "20.0"]).epochs == 20
    assert contract.parameters(script, ["--epochs", '"2e1"']).epochs == 20


def test_help_lists_what_is_declared(script, capsys):
    """`python train.py --help` works by hand."""
    with pytest.raises(SystemExit):
        contract.parameters(script, ["--help"])
    assert "--learning_rate NUMBER" in capsys.readouterr().out
