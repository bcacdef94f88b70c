"""The query language JSONPath: InputPath, Parameters, ResultSelector, ResultPath, OutputPath."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localaws.stepfunctions.comparisons import met
from localaws.stepfunctions.errors import RESULT_PATH_MATCH_FAILURE, RUNTIME, StateError
from localaws.stepfunctions.jsontext import dumps
from localaws.stepfunctions.language import Outcome, Situation
from localaws.stepfunctions.paths import PathNotFound, find, parse_path, put
from localaws.stepfunctions.templates import evaluate, render


class JsonpathEvaluation:
    """A state read in JSONPath."""

    def __init__(self, situation: Situation) -> None:
        self._fields = situation.fields
        self._raw = situation.input
        self._outside = {**situation.variables, "$$": situation.context}

    def _roots(self, document: Any) -> dict[str, Any]:
        return {**self._outside, "$": document}

    def _through(self, name: str, document: Any) -> Any:
        """What InputPath or OutputPath leaves of a document; the path `null` leaves an empty object."""
        path = self._fields.get(name, "$")
        if path is None:
            return {}
        try:
            return find(parse_path(path), self._roots(document))
        except PathNotFound as error:
            cause = f"Invalid path '{path}' in {name}: it leads nowhere in '{dumps(document)}'"
            raise StateError(RUNTIME, cause) from error

    def _effective(self) -> Any:
        return self._through("InputPath", self._raw)

    def arguments(self) -> Any:
        """The input through InputPath and Parameters."""
        document = self._effective()
        # A Map's Parameters are an older name of its ItemSelector.
        if "Parameters" not in self._fields or self._fields["Type"] == "Map":
            return document
        return render(self._fields["Parameters"], self._roots(document))

    def value(self, name: str) -> Any:
        """A field, or what the field of the same name with `Path` leads to, or None."""
        path = self._fields.get(f"{name}Path")
        if path is None:
            return self._fields.get(name)
        return evaluate(path, self._roots(self._effective()), f"{name}Path")

    def _assigned(self, fields: Mapping[str, Any], document: Any) -> dict[str, Any]:
        return dict(render(fields.get("Assign", {}), self._roots(document)))

    def _placed(self, fields: Mapping[str, Any], result: Any) -> Any:
        """The raw input with `result` at ResultPath; the path `null` drops the result."""
        path = fields.get("ResultPath", "$")
        if path is None:
            return self._raw
        try:
            return put(parse_path(path), self._raw, result)
        except PathNotFound as error:
            cause = f"Unable to apply ReferencePath '{path}' to the input '{dumps(self._raw)}'"
            raise StateError(RESULT_PATH_MATCH_FAILURE, cause) from error

    def finish(self, result: Any) -> Outcome:
        """The result through ResultSelector, ResultPath and OutputPath."""
        if "ResultSelector" in self._fields:
            result = render(self._fields["ResultSelector"], self._roots(result))
        return Outcome(
            self._through("OutputPath", self._placed(self._fields, result)),
            self._assigned(self._fields, result),
        )

    def passed(self) -> Outcome:
        """The state's `Result`, or its input."""
        document = self.arguments()
        if self._fields["Type"] == "Pass":
            return self.finish(self._fields.get("Result", document))
        return Outcome(self._through("OutputPath", document), self._assigned(self._fields, document))

    def choose(self) -> tuple[str | None, Outcome]:
        """The first rule that holds."""
        document = self._effective()
        output = self._through("OutputPath", document)
        for rule in self._fields["Choices"]:
            if met(rule, self._roots(document)):
                return rule["Next"], Outcome(output, self._assigned(rule, document))
        return self._fields.get("Default"), Outcome(output, self._assigned(self._fields, document))

    def caught(self, catcher: Mapping[str, Any], place: str, error: Mapping[str, str]) -> Outcome:  # noqa: ARG002 -- only JSONata's messages name the place
        """The raw input with the error output at the catcher's ResultPath."""
        return Outcome(self._placed(catcher, dict(error)), self._assigned(catcher, dict(error)))

    def items(self) -> list[Any]:
        """What ItemsPath leads to, which must be an array."""
        found = evaluate(self._fields.get("ItemsPath", "$"), self._roots(self._effective()), "ItemsPath")
        if not isinstance(found, list):
            raise StateError(RUNTIME, f"The items of a Map must be an array, but were '{dumps(found)}'.")
        return found

    def item_input(self, context: Mapping[str, Any], item: Any) -> Any:
        """ItemSelector (or Parameters) with `$$.Map.Item`, or the item."""
        template = self._fields.get("ItemSelector", self._fields.get("Parameters"))
        if template is None:
            return item
        return render(template, {**self._roots(self._effective()), "$$": context})
