"""Each type of state, in both languages: what goes in, what comes out."""

from __future__ import annotations

import pytest

JSONATA = "JSONata"


def machine(states, *, language="JSONPath", **more):
    """A machine that begins with the first of `states`."""
    return {"QueryLanguage": language, "StartAt": next(iter(states)), "States": states, **more}


def single(state, language="JSONPath"):
    """A machine of one state."""
    return machine({"Only": {"End": True, **state}}, language=language)


@pytest.mark.parametrize(
    ("state", "data", "expected"),
    [
        ({"Type": "Pass"}, {"a": 1}, {"a": 1}),
        ({"Type": "Pass", "Output": "{% $states.input.a + 1 %}"}, {"a": 1}, 2),
        ({"Type": "Pass", "Output": ["{% $states.input.a %}", None, "b"]}, {"a": None}, [None, None, "b"]),
        ({"Type": "Pass", "Output": "{% $states.context.State.Name %}"}, {}, "Only"),
        ({"Type": "Pass", "Output": "{% $states.context.Execution.Input.a %}"}, {"a": 1}, 1),
        ({"Type": "Wait", "Seconds": "{% $states.input.s %}"}, {"s": 3}, {"s": 3}),
        ({"Type": "Wait", "Timestamp": "{% '2020-01-01T00:00:00Z' %}", "Output": 1}, {}, 1),
        (
            {"Type": "Parallel", "Arguments": {"x": "{% $states.input.a %}"},
             "Branches": [{"StartAt": "A", "States": {"A": {"Type": "Pass", "Output": 1, "End": True}}},
                          {"StartAt": "B", "States": {"B": {"Type": "Pass", "End": True}}}]},
            {"a": 5},
            [1, {"x": 5}],
        ),
        (
            {"Type": "Map", "Items": "{% $states.input.a %}", "MaxConcurrency": 2,
             "ItemSelector": {"i": "{% $states.context.Map.Item.Index %}",
                              "v": "{% $states.context.Map.Item.Value %}"},
             "ItemProcessor": {"StartAt": "I", "States": {"I": {
                 "Type": "Pass", "Output": "{% $states.input.i * 10 + $states.input.v %}", "End": True}}}},
            {"a": [7, 8, 9]},
            [7, 18, 29],
        ),
        (
            {"Type": "Map", "Items": "{% $states.input %}",
             "ItemProcessor": {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}}},
            {"a": 1},
            [{"Key": "a", "Value": 1}],
        ),
        (
            {"Type": "Map", "Items": [],
             "ItemProcessor": {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}}},
            {},
            [],
        ),
    ],
)  # fmt: skip
def test_a_jsonata_state_gives_its_output(aws, state, data, expected):
    """Output, Arguments, Items and computed fields are evaluated against the input and the context."""
    assert aws.output(single(state, JSONATA), data) == expected


@pytest.mark.parametrize(
    ("state", "data", "expected"),
    [
        ({"Type": "Pass"}, {"a": 1}, {"a": 1}),
        ({"Type": "Pass", "Result": 7, "ResultPath": "$.b.c"}, {"a": 1}, {"a": 1, "b": {"c": 7}}),
        ({"Type": "Pass", "Result": 7, "ResultPath": None}, {"a": 1}, {"a": 1}),
        ({"Type": "Pass", "InputPath": "$.a", "OutputPath": "$[0]"}, {"a": [3]}, 3),
        ({"Type": "Pass", "InputPath": None}, {"a": 1}, {}),
        ({"Type": "Pass", "Parameters": {"x.$": "$.a", "n.$": "$$.Execution.Input.a", "s": "$.a"}}, {"a": 1},
         {"x": 1, "n": 1, "s": "$.a"}),
        ({"Type": "Wait", "SecondsPath": "$.s"}, {"s": 3}, {"s": 3}),
        ({"Type": "Wait", "TimestampPath": "$.t", "OutputPath": None}, {"t": "2020-01-01T00:00:00Z"}, {}),
        (
            {"Type": "Parallel", "ResultSelector": {"first.$": "$[0]"}, "ResultPath": "$.r",
             "Branches": [{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}]},
            {"a": 5},
            {"a": 5, "r": {"first": {"a": 5}}},
        ),
        (
            {"Type": "Map", "ItemsPath": "$.a", "ItemSelector": {"v.$": "$$.Map.Item.Value", "b.$": "$.b"},
             "Iterator": {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}}},
            {"a": [7, 8], "b": 1},
            [{"v": 7, "b": 1}, {"v": 8, "b": 1}],
        ),
    ],
)  # fmt: skip
def test_a_jsonpath_state_gives_its_output(aws, state, data, expected):
    """InputPath, Parameters, ResultSelector, ResultPath and OutputPath apply in this order."""
    assert aws.output(single(state), data) == expected


def test_choice_takes_the_first_rule_that_is_true(aws):
    """A rule's own Output and Assign hold; without a match the Default is taken."""
    definition = machine(
        {
            "C": {
                "Type": "Choice",
                "Choices": [
                    {"Condition": "{% $states.input.n > 10 %}", "Next": "Big", "Assign": {"size": "big"}},
                    {"Condition": "{% $states.input.n > 5 %}", "Next": "Big", "Output": "medium"},
                ],
                "Default": "Small",
            },
            "Big": {"Type": "Pass", "Output": ["{% $exists($size) ? $size : $states.input %}"], "End": True},
            "Small": {"Type": "Succeed", "Output": "small"},
        },
        language=JSONATA,
    )
    assert aws.output(definition, {"n": 11}) == ["big"]
    assert aws.output(definition, {"n": 6}) == ["medium"]
    assert aws.output(definition, {"n": 1}) == "small"


@pytest.mark.parametrize("language", ["JSONata", "JSONPath"])
def test_choice_without_a_match_and_default_fails(aws, language):
    """The error has a name of its own."""
    rule = {"Condition": "{% false %}"} if language == JSONATA else {"Variable": "$", "IsNull": True}
    choice = {"Type": "Choice", "Choices": [{**rule, "Next": "Z"}]}
    found = aws.run(machine({"C": choice, "Z": {"Type": "Succeed"}}, language=language))
    assert (found["status"], found["error"]) == ("FAILED", "States.NoChoiceMatched")


@pytest.mark.parametrize(
    ("state", "language"),
    [
        ({"Type": "Fail", "Error": "E", "Cause": "{% 'no ' & $states.input.a %}"}, "JSONata"),
        ({"Type": "Fail", "Error": "E", "CausePath": "$.cause"}, "JSONPath"),
        ({"Type": "Fail", "Error": "E", "CausePath": "States.Format('no {}', $.a)"}, "JSONPath"),
    ],
)
def test_fail_says_error_and_cause(aws, state, language):
    """Both may be computed, and pass through unchanged."""
    found = aws.run(machine({"F": state}, language=language), {"a": "way", "cause": "no way"})
    assert (found["status"], found["error"], found["cause"]) == ("FAILED", "E", "no way")


def test_variables_are_seen_by_later_states_and_inner_ones_and_stay_inside(aws):
    """Assign sees the old values of all variables; a branch's own variables end with it."""
    inner = {
        "StartAt": "I",
        "States": {
            "I": {"Type": "Pass", "Assign": {"own": "{% $a %}"}, "Next": "J"},
            "J": {"Type": "Pass", "Output": "{% $own %}", "End": True},
        },
    }
    definition = machine(
        {
            "A": {"Type": "Pass", "Assign": {"a": 1, "b": 2}, "Next": "B"},
            "B": {"Type": "Pass", "Assign": {"a": "{% $b %}", "b": "{% $a %}"}, "Next": "P"},
            "P": {"Type": "Parallel", "Branches": [inner], "Next": "Z"},
            "Z": {
                "Type": "Pass",
                "Output": ["{% $states.input[0] %}", "{% $b %}", "{% $exists($own) %}"],
                "End": True,
            },
        },
        language=JSONATA,
    )
    assert aws.output(definition) == [2, 1, False]


def test_jsonpath_assigns_and_reads_variables(aws):
    """A variable is `$name` in paths; the language may change to JSONata in a single state."""
    definition = machine(
        {
            "A": {"Type": "Pass", "Assign": {"a.$": "$.n", "b": 2}, "Next": "B"},
            "B": {"Type": "Pass", "Parameters": {"x.$": "$a", "s.$": "States.MathAdd($a, $b)"}, "Next": "C"},
            "C": {
                "Type": "Pass",
                "QueryLanguage": "JSONata",
                "Output": "{% $states.input.s + $a %}",
                "End": True,
            },
        }
    )
    assert aws.output(definition, {"n": 5}) == 12


def test_a_failing_branch_fails_the_parallel_and_aborts_the_others(aws):
    """The sibling that waits is interrupted, and says so in the history."""
    branches = [
        {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3600, "End": True}}},
        {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E", "Cause": "c"}}},
    ]
    execution = aws.start(single({"Type": "Parallel", "Branches": branches}))
    found = aws.ended(execution)
    assert (found["status"], found["error"], found["cause"]) == ("FAILED", "E", "c")
    types = aws.types(execution)
    assert types[-2:] == ["ParallelStateFailed", "ExecutionFailed"]
    assert "WaitStateAborted" in types


def test_a_failing_iteration_fails_the_map(aws):
    """Items behind it are not begun."""
    two = {"Condition": "{% $states.input = 2 %}", "Next": "F"}
    processor = {
        "StartAt": "C",
        "States": {
            "C": {
                "Type": "Choice",
                "Choices": [two],
                "Default": "S",
            },
            "F": {"Type": "Fail", "Error": "Two"},
            "S": {"Type": "Succeed"},
        },
    }
    state = {"Type": "Map", "Items": [1, 2, 3], "MaxConcurrency": 1, "ItemProcessor": processor}
    execution = aws.start(single(state, JSONATA))
    assert aws.ended(execution)["error"] == "Two"
    types = aws.types(execution)
    assert types.count("MapIterationStarted") == 2
    assert types[-3:] == ["MapIterationFailed", "MapStateFailed", "ExecutionFailed"]


def test_an_execution_ends_when_its_time_is_over(aws):
    """It is TIMED_OUT without error and cause; States.Timeout stands in the history."""
    definition = machine({"W": {"Type": "Wait", "Seconds": 3600, "End": True}}, TimeoutSeconds=1)
    execution = aws.start(definition)
    found = aws.ended(execution)
    assert found["status"] == "TIMED_OUT"
    assert "error" not in found
    last = aws.events(execution)[-1]
    assert (last["type"], last["executionTimedOutEventDetails"]) == (
        "ExecutionTimedOut",
        {"error": "States.Timeout"},
    )


def test_data_past_the_limit_fail_and_are_caught_only_by_name(aws):
    """262,144 bytes are the most; States.ALL does not take that error."""
    big = "{% $pad('', 262143, 'x') %}"
    found = aws.run(single({"Type": "Pass", "Output": big}, JSONATA))
    assert found["error"] == "States.DataLimitExceeded"
