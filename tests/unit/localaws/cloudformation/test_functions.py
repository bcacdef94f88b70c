"""The intrinsic functions: what each gives, and what it refuses."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localaws.cloudformation.functions import UNKNOWN
from localaws.cloudformation.intrinsics import Evaluator
from localaws.cloudformation.template import TemplateError


class Surroundings:
    """A small world: parameters, one resource, one export, one stored text."""

    def __init__(self, **names: Any) -> None:
        self.names = {"Env": "dev", "List": ["a", "b", "c"], "AWS::Region": "eu-west-1", **names}

    def ref(self, name: str) -> Any:
        if name not in self.names:
            raise TemplateError(f"no {name}")
        return self.names[name]

    def attribute(self, logical_id: str, name: str) -> Any:
        return f"<{logical_id}.{name}>"

    def exported(self, name: str) -> Any:
        return f"<export {name}>"

    def dynamic(self, service: str, reference: str) -> str:
        return f"<{service} {reference}>"

    def zones(self, region: str) -> list[str]:
        return [f"{region}a", f"{region}b"]


_MAPPINGS = {"Sizes": {"dev": {"Type": "small"}, "prod": {"Type": "large"}}}
_CONDITIONS = {
    "IsDev": {"Fn::Equals": [{"Ref": "Env"}, "dev"]},
    "IsProd": {"Fn::Not": [{"Condition": "IsDev"}]},
    "Both": {"Fn::And": [{"Condition": "IsDev"}, {"Condition": "IsProd"}]},
    "Either": {"Fn::Or": [{"Condition": "IsDev"}, {"Condition": "IsProd"}]},
    "Loop": {"Condition": "Loop"},
}


def _evaluator(**names: Any) -> Evaluator:
    return Evaluator(_MAPPINGS, _CONDITIONS, Surroundings(**names))


@pytest.mark.parametrize(
    ("node", "value"),
    [
        ({"Ref": "Env"}, "dev"),
        ({"Fn::GetAtt": ["Thing", "Arn"]}, "<Thing.Arn>"),
        ({"Fn::GetAtt": "Thing.Nested.Arn"}, "<Thing.Nested.Arn>"),
        ({"Fn::GetAtt": ["Thing", {"Ref": "Env"}]}, "<Thing.dev>"),
        ({"Fn::Sub": "${Env}/${Thing.Arn}/${!Literal}"}, "dev/<Thing.Arn>/${Literal}"),
        ({"Fn::Sub": ["${Env}${X}", {"X": {"Fn::Join": ["", ["1", 2]]}}]}, "dev12"),
        ({"Fn::Join": ["-", [{"Ref": "Env"}, 5, True]]}, "dev-5-true"),
        ({"Fn::Join": [",", {"Ref": "List"}]}, "a,b,c"),
        ({"Fn::Select": ["1", {"Ref": "List"}]}, "b"),
        ({"Fn::Select": [0, {"Fn::Split": ["/", "x/y"]}]}, "x"),
        ({"Fn::If": ["IsDev", "yes", "no"]}, "yes"),
        ({"Fn::If": ["IsProd", {"Ref": "Missing"}, "no"]}, "no"),
        ({"Fn::If": ["Both", 1, {"Fn::If": ["Either", 2, 3]}]}, 2),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "Env"}, "Type"]}, "small"),
        ({"Fn::ImportValue": {"Fn::Sub": "${Env}-out"}}, "<export dev-out>"),
        ({"Fn::Base64": "text"}, base64.b64encode(b"text").decode()),
        ({"Fn::GetAZs": ""}, ["eu-west-1a", "eu-west-1b"]),
        ({"Fn::GetAZs": "us-east-1"}, ["us-east-1a", "us-east-1b"]),
        ({"Fn::Cidr": ["10.0.0.0/16", 2, 8]}, ["10.0.0.0/24", "10.0.1.0/24"]),
        ({"Fn::Cidr": ["10.0.0.0/24", "2", "4"]}, ["10.0.0.0/28", "10.0.0.16/28"]),
        ("{{resolve:ssm:/a/b:3}}", "<ssm /a/b:3>"),
        (
            {"Fn::Join": ["", ["{{resolve:secretsmanager:", "id", ":SecretString:key}}"]]},
            "<secretsmanager id:SecretString:key>",
        ),
        ({"Keep": 1, "Drop": {"Ref": "AWS::NoValue"}}, {"Keep": 1}),
        (["a", {"Fn::If": ["IsProd", "b", {"Ref": "AWS::NoValue"}]}], ["a"]),
        ({"Condition": {"StringEquals": {"a": "b"}}}, {"Condition": {"StringEquals": {"a": "b"}}}),
    ],
)
def test_a_function_gives_its_value(node: Any, value: Any) -> None:
    """Each function as CloudFormation defines it; an IAM policy's own `Condition` is no function."""
    assert _evaluator().value(node) == value


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ({"Fn::Transform": {"Name": "AWS::Include"}}, "Fn::Transform is not emulated"),
        ({"Fn::Length": [1]}, "Fn::Length is not emulated"),
        ({"Fn::Select": [3, ["a"]]}, "nonexistent value at index 3"),
        ({"Fn::FindInMap": ["Sizes", "test", "Type"]}, "Unable to get mapping for Sizes::test::Type"),
        ({"Fn::If": ["Nope", 1, 2]}, "Unresolved condition Nope"),
        ({"Fn::If": ["IsDev", 1]}, "requires a list of 3"),
        ({"Fn::Join": ["-", "text"]}, "Fn::Join joins a list"),
        ({"Fn::GetAtt": "Thing"}, "Fn::GetAtt takes"),
        ({"Fn::Sub": ["a", "b"]}, "Fn::Sub takes"),
        ({"Fn::Cidr": ["10.0.0.0/24", 17, 4]}, "no 17 subnets"),
        ({"Fn::Cidr": ["nonsense", 1]}, "Fn::Cidr of nonsense"),
        ({"Fn::Join": ["", [{"a": 1}]]}, "must evaluate to a string"),
    ],
)
def test_a_wrong_use_is_refused_by_name(node: Any, message: str) -> None:
    """The refusal says which function and what is wrong with it."""
    with pytest.raises(TemplateError, match=message):
        _evaluator().value(node)


@pytest.mark.parametrize(
    ("node", "holds"),
    [
        ({"Fn::Equals": [True, "true"]}, True),
        ({"Fn::Equals": [1, "1"]}, True),
        ({"Fn::Contains": [["1", "2"], "2"]}, True),
        ({"Fn::EachMemberIn": [["a", "b"], {"Ref": "List"}]}, True),
        ({"Fn::EachMemberIn": [["a", "x"], {"Ref": "List"}]}, False),
        ({"Fn::EachMemberEquals": [["a", "a"], "a"]}, True),
        ({"Condition": "Loop"}, False),
    ],
)
def test_a_test_holds_or_not(node: Any, holds: bool) -> None:  # noqa: FBT001 -- what the case expects
    """The functions of Conditions and Rules; a condition that leads back to itself ends."""
    assert _evaluator().holds(node) is holds


@given(st.lists(st.text("abc/", max_size=4).filter(lambda part: "," not in part), min_size=1))
def test_splitting_undoes_joining(parts: list[str]) -> None:
    """Fn::Split of Fn::Join is the list again."""
    joined = {"Fn::Join": [",", parts]}

    assert _evaluator().value({"Fn::Split": [",", joined]}) == parts


_LEAVES = st.none() | st.booleans() | st.integers() | st.text("abc {}$.", max_size=6)
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3)
    ),
)


@given(_VALUES)
def test_what_is_no_function_stays_as_it_is(value: Any) -> None:
    """Evaluation leaves plain data alone, and `Fn::If` and `Fn::Select` hand it through."""
    evaluator = _evaluator()

    assert evaluator.value(value) == value
    assert evaluator.value({"Fn::If": ["IsDev", value, 0]}) == value
    assert evaluator.value({"Fn::Select": [0, [value]]}) == value


@given(
    st.sampled_from(["Fn::Split", "Fn::Select", "Fn::Join", "Fn::Base64", "Fn::Cidr", "Fn::Sub"]), st.data()
)
def test_what_is_made_of_the_unknown_is_unknown(function: str, data: st.DataObject) -> None:
    """Before a resource is there, whatever is worked out from its id says so, and never fails."""
    new = {"Ref": "New"}
    arguments: dict[str, Any] = {
        "Fn::Split": ["/", new],
        "Fn::Select": [data.draw(st.integers(0, 5)), {"Fn::Split": ["/", new]}],
        "Fn::Join": ["-", {"Fn::Split": ["/", new]}],
        "Fn::Base64": new,
        "Fn::Cidr": [new, 2, 8],
        "Fn::Sub": "a${New}b",
    }

    assert UNKNOWN in _evaluator(New=UNKNOWN).value({function: arguments[function]})
