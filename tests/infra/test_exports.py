"""What a stack exports: it may not go before its importers, which are deployed after it."""

from __future__ import annotations

import json

from ruamel.yaml import YAML

from stacks.app import PROJECT

EMPTIED = "network"
"""The one stack that is deployed last when there is nothing in it any more."""


def test_an_export_stays_when_its_importers_go(tmp_path, synthesize):
    """The example with everything, and with as little as can be: the first may become the second."""
    content = YAML(typ="safe").load(PROJECT / "teams/research.yaml")
    account = {key: content["environments"]["dev"][key] for key in ("account", "region")}
    least = {
        "team": content["team"],
        "owners": content["owners"],
        "environments": {"dev": account},
        "jobs": content["jobs"],
    }
    exports = {}
    for name, file in {
        "all": content | {"environments": {"dev": content["environments"]["dev"]}},
        "least": least,
    }.items():
        folder = tmp_path / name
        folder.mkdir()
        YAML().dump(file, folder / "research.yaml")
        exports[name] = _exports(synthesize(teams=str(folder)))
    assert {one for one in exports["all"] if f"-{EMPTIED}:" not in one} <= exports["least"]


def _exports(assembly):
    templates = [json.loads(path.read_text()) for path in assembly.glob("assembly-*/*.template.json")]
    outputs = [output for template in templates for output in template.get("Outputs", {}).values()]
    return {output["Export"]["Name"] for output in outputs if "Export" in output}
