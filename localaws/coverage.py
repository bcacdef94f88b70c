"""Writes COVERAGE.md: what the embedded AWS does, of what AWS has. Run `python -m localaws.coverage`."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import cfnlint
from moto.core.utils import get_service_model

from localaws.cloudformation.engine import Engine
from localaws.cloudformation.resource import ResourceType
from localaws.registry import build_services
from localaws.service import Refusal, Service
from localaws.world import World

TARGET = Path(__file__).with_name("COVERAGE.md")
_SCHEMAS = Path(cfnlint.__file__).parent / "data" / "schemas"
_HEAD = """\
# What the embedded AWS covers

Written by `python -m localaws.coverage`; a test keeps it current.

An operation of a service below that is not listed, and every other service, is answered by
[moto](https://docs.getmoto.org), except where it says that the rest is refused. A resource type that is not
listed fails the deployment by name, as does a property that is neither honoured nor ignored.

Where CloudFormation differs from AWS:

- Resources are made with the account's full rights; a RoleARN is kept and shown, not assumed.
- Transforms and macros, stack policies, topics for stack events, rollback triggers, time-outs of a creation,
  imports of resources, express mode, WaitCondition, CreationPolicy and UpdatePolicy are refused by name.
- ImportExistingResources is let through: what exists already fails to be created, rather than be imported.
- A change set of a stack with nested stacks tells about these as one resource each.
- Stack events carry no ResourceProperties.
- Stacks live in memory: they end with the server.

Where SageMaker's workplaces differ from AWS:

- Nothing runs in apps of Studio and in notebook instances: they hold what they hold on AWS (interfaces, home
  folders, volumes), take their time to come and go, and refuse what AWS refuses.
- Lifecycle configurations are kept, shown and held to their limits; no script of theirs is run.
- Idle shutdown is kept and its bounds are checked; as nothing runs, nothing is ever idle, and it never fires.
- Presigned URLs are given where AWS gives them, and lead nowhere, as their path says.
- Apps of Studio Classic are refused, with what took their place; of the newer ones, JupyterLab and CodeEditor
  are there, and the others are refused by name.
"""


def report() -> str:
    """The text of COVERAGE.md."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), Path(folder))
        try:
            services = build_services(world)
            types = list(Engine(world).types)
        finally:
            world.close()
    return "\n".join([_HEAD, *_operations(services), *_resource_types(types)])


def _operations(services: Iterable[Service]) -> Iterator[str]:
    yield "## Operations\n"
    for service in sorted(services, key=lambda service: service.name):
        answers = dict(service.operations())
        answered = sorted(name for name, handler in answers.items() if not isinstance(handler, Refusal))
        refused, known = len(answers) - len(answered), len(get_service_model(service.name).operation_names)
        rest = "the other operations are moto's"
        if refused:
            rest = f"{refused} more are refused by name" + (f", {rest}" if len(answers) < known else "")
        yield f"### {service.name}\n"
        yield f"{', '.join(answered)}; {rest}.\n"
        if service.differences:
            yield "Where it differs from AWS:\n"
            yield from (f"- {sentence}" for sentence in service.differences)
            yield ""


def _resource_types(types: Iterable[ResourceType]) -> Iterator[str]:
    yield "## CloudFormation resource types\n"
    for kind in types:
        yield f"### {kind.type_name}\n"
        yield f"- Honoured: {_listed(kind.properties)}"
        for name, reason in sorted(kind.ignored.items()):
            yield f"- Ignored: {name}: {reason}"
        refused = _properties(kind.type_name) - kind.properties - set(kind.ignored)
        refused = {name for name in refused if kind.refuses(name)}
        if refused:
            yield f"- Refused: {_listed(refused)}"
        yield ""


def _properties(type_name: str) -> set[str]:
    """The properties that a template may give to a type, by AWS's schema as cfn-lint ships it."""
    index = json.loads((_SCHEMAS / "providers" / "us-east-1.json").read_text())
    if type_name not in index:
        return set()
    schema = json.loads((_SCHEMAS / "resources" / f"{index[type_name]}.json").read_text())
    read_only = {path.split("/")[2] for path in schema.get("readOnlyProperties", ()) if path.count("/") == 2}  # noqa: PLR2004 -- /properties/Name
    return set(schema["properties"]) - read_only


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def main() -> int:
    """Write the file, or with --check say whether it is current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail when the file is stale; write nothing")
    check = parser.parse_args().check
    text = report()
    if not check:
        TARGET.write_text(text)
        return 0
    if TARGET.exists() and TARGET.read_text() == text:
        return 0
    sys.stderr.write(f"{TARGET.name} is stale: run `python -m localaws.coverage` and commit it\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
