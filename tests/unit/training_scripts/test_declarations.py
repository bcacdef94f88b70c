"""What the scripts of this project declare, and what their pages say of it."""

from __future__ import annotations

import ast
import json

import pytest

import contract
from atelier import embedded

SCRIPTS = embedded.ROOT / "training_scripts"
DECLARATIONS = sorted([*SCRIPTS.glob("*/hyperparameters.json"), *SCRIPTS.glob("*/prepare.json")])
FIELDS = {"type", "default", "minimum", "maximum", "choices", "scale", "tunable", "help"}


@pytest.mark.parametrize("path", sorted((SCRIPTS / "text_mxnet").glob("*.py")), ids=lambda path: path.name)
def test_what_runs_in_mxnets_image_is_written_for_its_python(path):
    """3.8, which is older than any other image's; the files that all scripts share are linked there, too."""
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))


@pytest.mark.parametrize("path", DECLARATIONS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_declarations_have_the_documented_form(path):
    """The fields of docs/scripts.md and no others; defaults that the declaration itself allows."""
    for name, facts in json.loads(path.read_text(encoding="utf-8")).items():
        assert set(facts) <= FIELDS, name
        assert facts["help"], name
        assert facts.get("scale", "linear") in ("linear", "logarithmic"), name
        if facts.get("default") is not None:
            assert contract.parse(name, facts, json.dumps(facts["default"])) == facts["default"]
        if facts.get("tunable"):
            assert {"minimum", "maximum"} <= set(facts) or "choices" in facts, name


@pytest.mark.parametrize(
    "script", sorted(path.parent.name for path in SCRIPTS.glob("*/hyperparameters.json"))
)
def test_a_scripts_page_lists_its_hyperparameters_with_their_defaults(script):
    """README.md says what can be set, and to what it is set when nobody does."""
    page = (SCRIPTS / script / "README.md").read_text(encoding="utf-8")
    for name, facts in json.loads((SCRIPTS / script / "hyperparameters.json").read_text()).items():
        default = facts.get("default")
        shown = default if isinstance(default, str) else json.dumps(default)
        lines = [line for line in page.splitlines() if f"`{name}`" in line]
        assert any(shown in line for line in lines), f"{name}: {shown}"
