"""One embedded AWS for all tests of resource types, and the life that each type is led through."""

import importlib
import json
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import cfnlint
import pytest
from botocore.exceptions import ClientError

from localaws.cloudformation import resources
from localaws.cloudformation.resource import Context, Created, ResourceType
from localaws.sagemaker.studio.durations import PACE
from localaws.server import Server

Step = tuple[Mapping[str, Any], Any]
Look = Callable[[Callable[[str], Any], str], Any]
_numbers = count()
_SCHEMAS = Path(cfnlint.__file__).parent / "data" / "schemas"
_INDEX = json.loads((_SCHEMAS / "providers" / "us-east-1.json").read_text())


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The embedded AWS; every test makes resources of its own in it."""
    folder = tmp_path_factory.mktemp("localaws")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(PACE, "0.1")
        server = Server(folder / "data", folder / "cache")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def types() -> dict[str, ResourceType]:
    """Every resource type by its name, collected as the engine does."""
    modules = [
        importlib.import_module(f"{resources.__name__}.{found.name}")
        for found in pkgutil.iter_modules(resources.__path__)
    ]
    return {kind.type_name: kind() for module in modules for kind in getattr(module, "TYPES", ())}


class Schema:
    """AWS's schema of a resource type, as cfn-lint ships it."""

    def __init__(self, type_name: str) -> None:
        self._body = json.loads((_SCHEMAS / "resources" / f"{_INDEX[type_name]}.json").read_text())
        self.required = set(self._body.get("required", ()))
        self.read_only = self.named("readOnlyProperties")
        self.writable = set(self._body["properties"]) - self.read_only

    def named(self, section: str) -> set[str]:
        """The top-level properties that a section of the schema lists."""
        return {path.split("/")[2] for path in self._body.get(section, ()) if path.count("/") == 2}


@pytest.fixture(scope="session")
def schema() -> Callable[[str], Schema]:
    """AWS's schema of a resource type, by its name."""
    return Schema


@pytest.fixture
def make_context(server: Server) -> Callable[..., Context]:
    """Contexts of new resources, each in a stack of its own unless told otherwise."""

    def make(**changes: Any) -> Context:
        number = next(_numbers)
        arn = f"arn:aws:cloudformation:eu-west-1:111122223333:stack/Team{number}/0f"
        fields = {
            "world": server.world,
            "account": "111122223333",
            "region": "eu-west-1",
            "stack_name": f"Team{number}",
            "stack_id": arn,
            "logical_id": f"Thing{number}",
            "stack_tags": {"team": "vision"},
        }
        return Context(**{**fields, **changes})

    return make


@pytest.fixture
def context(make_context: Callable[..., Context]) -> Context:
    """A context of one new resource."""
    return make_context()


@pytest.fixture
def live(
    types: dict[str, ResourceType], context: Context, schema: Callable[[str], Schema]
) -> Callable[..., Created]:
    """Lead a resource through its life, looking at it through the API after every step.

    It is created with the first step's properties, updated to each further step's, updated back to the
    first, deleted (then `look` must find nothing: answer None or an error) and deleted again.
    """

    def lead(type_name: str, look: Look, steps: Sequence[Step]) -> Created:
        kind = types[type_name]
        (props, expected), *changes = steps
        created = kind.create(context, props)
        physical_id = created.physical_id
        assert schema(type_name).read_only <= {name.partition(".")[0] for name in created.attributes}
        assert look(context.client, physical_id) == expected
        for changed, expected_then in [*changes, steps[0]]:
            assert kind.update(context, physical_id, props, changed).physical_id == physical_id
            props = changed
            assert look(context.client, physical_id) == expected_then
        for _ in range(2):
            kind.delete(context, physical_id, props)
            assert _gone(look, context, physical_id)
        return created

    return lead


def _gone(look: Look, context: Context, physical_id: str) -> bool:
    try:
        return look(context.client, physical_id) is None
    except ClientError:
        return True
