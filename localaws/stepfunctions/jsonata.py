"""The query language JSONata: templates in which strings of the form `{% … %}` are expressions."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jsonata.jexception import JException
from jsonata.jsonata import Jsonata

from localaws.stepfunctions.errors import QUERY_EVALUATION_ERROR, StateError
from localaws.stepfunctions.jsonata_functions import FUNCTIONS
from localaws.stepfunctions.jsonata_values import bindable, plain
from localaws.stepfunctions.language import Outcome, Situation

# One expression may take five seconds and nest so deep: a definition cannot hang or crash the server.
_MAX_MILLISECONDS = 5_000
_MAX_DEPTH = 1_000


def expression_in(text: str) -> str | None:
    """The JSONata expression in `{% … %}`, or None when the string is just a string."""
    if text.startswith("{%") and text.endswith("%}") and len(text) >= len("{%%}"):
        return text[2:-2].strip()
    return None


def syntax_error(expression: str) -> str | None:
    """What is wrong with an expression before it runs, or None."""
    try:
        _compiled(expression)
    except JException as error:
        return str(error.get_detailed_error_message())
    except Exception as error:  # noqa: BLE001 -- the parser stumbles in many ways over broken text
        return f"{type(error).__name__}: {error}"
    return None


@lru_cache(maxsize=4096)
def _compiled(expression: str) -> Jsonata:
    compiled = Jsonata(expression)
    compiled.set_output_convert_nulls(False)
    for name, function in FUNCTIONS.items():
        compiled.register_lambda(name, function)
    return compiled


def evaluate(expression: str, bindings: Mapping[str, Any], place: str) -> Any:
    """The JSON value of an expression; `StateError` States.QueryEvaluationError when it has none.

    `bindings` are the variables without `$`, prepared by `bindable`; `place` is the field for the message.
    """
    # The syntax tree is shared by all threads; what an evaluation notes about itself is not.
    mine = copy.copy(_compiled(expression))
    Jsonata.CURRENT.jsonata = mine
    frame = mine.create_frame()
    frame.bindings.update(bindings)
    frame.set_runtime_bounds(_MAX_MILLISECONDS, _MAX_DEPTH)
    what = f"The JSONata expression '{expression}' specified for the field '{place}'"
    try:
        found = mine.evaluate(None, frame)
        if found is not None:
            return plain(found)
    except Exception as error:
        raise StateError(
            QUERY_EVALUATION_ERROR, f"{what} threw an error. {error}", evaluating=place
        ) from error
    raise StateError(QUERY_EVALUATION_ERROR, f"{what} returned nothing (undefined).", evaluating=place)


def render(template: Any, bindings: Mapping[str, Any], place: str) -> Any:
    """`template` with every expression in it evaluated."""
    if isinstance(template, str):
        expression = expression_in(template)
        return template if expression is None else evaluate(expression, bindings, place)
    if isinstance(template, dict):
        return {key: render(inner, bindings, f"{place}/{key}") for key, inner in template.items()}
    if isinstance(template, list):
        return [render(inner, bindings, f"{place}[{index}]") for index, inner in enumerate(template)]
    return template


class JsonataEvaluation:
    """A state read in JSONata: Arguments, Output, Assign, and computed fields."""

    def __init__(self, situation: Situation) -> None:
        self._fields = situation.fields
        self._input = situation.input
        self._states = {"input": bindable(situation.input), "context": bindable(situation.context)}
        self._variables = {name: bindable(value) for name, value in situation.variables.items()}

    def _bindings(self, **states: Any) -> dict[str, Any]:
        return {**self._variables, "states": {**self._states, **states}}

    def _field(self, name: str, bindings: Mapping[str, Any]) -> Any:
        return render(self._fields[name], bindings, name)

    def _leave(
        self, fields: Mapping[str, Any], default: Any, bindings: Mapping[str, Any], place: str = ""
    ) -> Outcome:
        """The Output and Assign of a state, a choice rule or a catcher."""
        output = default
        if "Output" in fields:
            output = render(fields["Output"], bindings, f"{place}Output")
        return Outcome(output, render(fields.get("Assign", {}), bindings, f"{place}Assign"))

    def arguments(self) -> Any:
        """`Arguments`, or the input where the state has none."""
        return self._field("Arguments", self._bindings()) if "Arguments" in self._fields else self._input

    def value(self, name: str) -> Any:
        """A computed field, or None."""
        return self._field(name, self._bindings()) if name in self._fields else None

    def finish(self, result: Any) -> Outcome:
        """`Output` and `Assign` with `$states.result`."""
        return self._leave(self._fields, result, self._bindings(result=bindable(result)))

    def passed(self) -> Outcome:
        """`Output` and `Assign` without a result."""
        return self._leave(self._fields, self._input, self._bindings())

    def choose(self) -> tuple[str | None, Outcome]:
        """The first rule whose `Condition` is true."""
        bindings = self._bindings()
        for index, rule in enumerate(self._fields["Choices"]):
            place = f"Choices[{index}]"
            met = render(rule["Condition"], bindings, f"{place}/Condition")
            if not isinstance(met, bool):
                cause = f"The Condition of {place} must be a boolean, but was {met!r}."
                raise StateError(QUERY_EVALUATION_ERROR, cause, evaluating=f"{place}/Condition")
            if met:
                return rule["Next"], self._leave(rule, self._input, bindings, f"{place}/")
        return self._fields.get("Default"), self.passed()

    def caught(self, catcher: Mapping[str, Any], place: str, error: Mapping[str, str]) -> Outcome:
        """The catcher's `Output` and `Assign` with `$states.errorOutput`."""
        bindings = self._bindings(errorOutput=bindable(error))
        return self._leave(catcher, dict(error), bindings, f"{place}/")

    def items(self) -> list[Any]:
        """`Items`, or the input: an array, or an object as an array of its keys and values."""
        found = self._field("Items", self._bindings()) if "Items" in self._fields else self._input
        if isinstance(found, dict):
            return [{"Key": key, "Value": value} for key, value in found.items()]
        if isinstance(found, list):
            return found
        cause = f"The Items of a Map must be an array or an object, but were {found!r}."
        raise StateError(QUERY_EVALUATION_ERROR, cause, evaluating="Items")

    def item_input(self, context: Mapping[str, Any], item: Any) -> Any:
        """`ItemSelector` with `$states.context.Map.Item`, or the item."""
        if "ItemSelector" not in self._fields:
            return item
        bindings = self._bindings(context=bindable(context))
        return render(self._fields["ItemSelector"], bindings, "ItemSelector")
