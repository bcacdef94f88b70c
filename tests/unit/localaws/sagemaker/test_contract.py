"""The contract between a job and its script: arguments and variables."""

from __future__ import annotations

import json
from pathlib import PurePosixPath

from hypothesis import given
from hypothesis import strategies as st

from localaws.sagemaker.container.contract import (
    Job,
    Machine,
    decode_hyperparameters,
    to_arguments,
    to_variables,
)

keys = st.text(st.characters(codec="ascii", categories=["Ll", "Lu", "Nd"]), min_size=1, max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(keys, json_values, max_size=5))
def test_values_written_as_json_come_back_as_they_were(values):
    """The SDK writes each hyperparameter as JSON; the script's side reads the same value."""
    assert decode_hyperparameters({key: json.dumps(value) for key, value in values.items()}) == values


@given(keys, st.text(max_size=20))
def test_a_value_that_is_no_json_is_taken_as_it_stands(key, value):
    """A raw string, as the console sends it, reaches the script unchanged."""
    try:
        json.loads(value)
    except ValueError:
        assert decode_hyperparameters({key: value}) == {key: value}


@given(st.dictionaries(keys, json_values, max_size=6))
def test_arguments_come_in_pairs_sorted_by_key(values):
    """Each hyperparameter is one option and one value, in the order of the keys."""
    arguments = to_arguments(values)
    assert [option.lstrip("-") for option in arguments[::2]] == sorted(values)
    assert all(isinstance(value, str) for value in arguments)


def test_arguments_are_spelled_as_the_toolkit_spells_them():
    """One letter has one dash; true becomes True; a dict and a list have the toolkit's forms."""
    values = {"k": 3, "flag": True, "none": None, "map": {"b": 2, "a": 1}, "list": [1, 2], "name": "x y"}
    assert to_arguments(values) == [
        *("--flag", "True", "-k", "3", "--list", "[1, 2]", "--map", "a=1,b=2"),
        *("--name", "x y", "--none", ""),
    ]


@given(st.dictionaries(keys, json_values, max_size=5))
def test_variables_hold_strings_raw_and_the_rest_as_json(values):
    """A string is not quoted, None is empty, everything else reads back from JSON."""
    variables = to_variables(values)
    for key, value in values.items():
        written = variables[f"SM_{key.upper()}"]
        if any(key != other and key.upper() == other.upper() for other in values):
            continue
        assert written == value if isinstance(value, str) else json.loads(written or "null") == value


def job(base="/opt/ml"):
    """A job with two channels and two hyperparameters of its own."""
    group = {"instance_group_name": "homogeneousCluster", "instance_type": "ml.m5.large", "hosts": ["algo-1"]}
    return Job(
        base=PurePosixPath(base),
        hyperparameters={"sagemaker_program": "train.py", "epochs": 3, "rate": 0.1},
        resources={
            "current_host": "algo-1",
            "hosts": ["algo-1"],
            "current_instance_type": "ml.m5.large",
            "current_group_name": "homogeneousCluster",
            "instance_groups": [group],
            "network_interface_name": "lo",
        },
        inputs={"train": {"TrainingInputMode": "File"}, "test": {"TrainingInputMode": "File"}},
        framework_module="sagemaker_sklearn_container.training:main",
    )


def test_a_script_sees_its_folders_channels_and_hyperparameters():
    """The variables that scripts read are there, and launcher hyperparameters stay out of its arguments."""
    variables = job().variables(Machine(cpus=2, gpus=0))
    assert variables["SM_MODEL_DIR"] == "/opt/ml/model"
    assert variables["SM_OUTPUT_DATA_DIR"] == "/opt/ml/output/data"
    assert variables["SM_CHANNEL_TRAIN"] == "/opt/ml/input/data/train"
    assert json.loads(variables["SM_CHANNELS"]) == ["test", "train"]
    assert variables["SM_HP_EPOCHS"] == "3"
    assert json.loads(variables["SM_HPS"]) == {"epochs": 3, "rate": 0.1}
    assert json.loads(variables["SM_USER_ARGS"]) == ["--epochs", "3", "--rate", "0.1"]
    assert (variables["SM_NUM_CPUS"], variables["SM_NUM_GPUS"], variables["SM_IS_HETERO"]) == (
        "2",
        "0",
        "false",
    )
    assert json.loads(variables["SM_TRAINING_ENV"])["channel_input_dirs"]["train"].endswith("/train")


def test_every_variable_of_the_contract_is_set():
    """The whole list of AWS's toolkit, none missing."""
    expected = [
        "HOSTS",
        "CURRENT_HOST",
        "NETWORK_INTERFACE_NAME",
        "HPS",
        "USER_ARGS",
        "USER_ENTRY_POINT",
        "MODULE_NAME",
        "MODULE_DIR",
        "FRAMEWORK_MODULE",
        "FRAMEWORK_PARAMS",
        "RESOURCE_CONFIG",
        "INPUT_DATA_CONFIG",
        "INPUT_DIR",
        "INPUT_CONFIG_DIR",
        "OUTPUT_DIR",
        "OUTPUT_DATA_DIR",
        "OUTPUT_INTERMEDIATE_DIR",
        "MODEL_DIR",
        "CHANNELS",
        "NUM_CPUS",
        "NUM_GPUS",
        "NUM_NEURONS",
        "LOG_LEVEL",
        "CURRENT_INSTANCE_TYPE",
        "CURRENT_INSTANCE_GROUP",
        "CURRENT_INSTANCE_GROUP_HOSTS",
        "INSTANCE_GROUPS",
        "INSTANCE_GROUPS_DICT",
        "DISTRIBUTION_INSTANCE_GROUPS",
        "IS_HETERO",
        "TRAINING_ENV",
    ]
    assert {f"SM_{name}" for name in expected} <= job().variables(Machine(cpus=1, gpus=0)).keys()


def test_a_relocated_job_points_every_folder_into_its_own():
    """Where /opt/ml cannot be mounted, a script that uses only SM_* variables finds everything."""
    variables = job("/tmp/job").variables(Machine(cpus=1, gpus=0))  # noqa: S108 -- a name, nothing is written
    assert not [value for value in variables.values() if "/opt/ml" in value]
