"""Stacks over resources that live in memory, and one embedded AWS for what needs real services."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from localaws.cloudformation.api import CloudFormation
from localaws.cloudformation.engine import Engine
from localaws.cloudformation.resource import Context, Created, ResourceFailed, ResourceType
from localaws.server import Server
from localaws.service import Call
from localaws.world import World


class Shelf(ResourceType):
    """Things that exist in memory: what the engine creates stands here, by physical id.

    `failing` holds (verb, logical ID) pairs that fail, `failing_once` those that fail the next time only;
    `log` has every (verb, logical ID) in order.
    """

    type_name = "Test::Shelf::Thing"
    properties = frozenset({"Name", "Size", "Uses", "Tags"})
    replaces = frozenset({"Name"})

    def __init__(self) -> None:
        self.things: dict[str, Mapping[str, Any]] = {}
        self.failing: set[tuple[str, str]] = set()
        self.failing_once: set[tuple[str, str]] = set()
        self.log: list[tuple[str, str]] = []
        self.meeting: threading.Barrier | None = None
        self.tags: dict[str, Mapping[str, str]] = {}

    def _step(self, verb: str, context: Context) -> None:
        self.log.append((verb, context.logical_id))
        if self.meeting is not None:
            self.meeting.wait(5)
        step = (verb, context.logical_id)
        if step in self.failing | self.failing_once:
            self.failing_once.discard(step)
            raise ResourceFailed(f"{context.logical_id} cannot {verb}")

    def create(self, context: Context, props: Mapping[str, Any]) -> Created:
        """Put a thing on the shelf."""
        self._step("create", context)
        physical_id = f"{context.generated_name(60)}-{props.get('Name', '')}"
        if physical_id in self.things:
            raise ResourceFailed(f"{physical_id} already exists")
        return self._put(context, physical_id, props)

    def update(
        self, context: Context, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> Created:
        """Change a thing."""
        self._step("update", context)
        assert physical_id in self.things
        assert old != new
        return self._put(context, physical_id, new)

    def delete(self, context: Context, physical_id: str, props: Mapping[str, Any]) -> None:
        """Take a thing away; nothing that another thing uses may go."""
        self._step("delete", context)
        things = dict(self.things)  # other threads change it meanwhile
        users = [other for other, held in things.items() if physical_id in (held.get("Uses") or [])]
        if users:
            raise ResourceFailed(f"{physical_id} is in use by {users}")
        self.things.pop(physical_id, None)

    def _put(self, context: Context, physical_id: str, props: Mapping[str, Any]) -> Created:
        missing = [used for used in props.get("Uses") or [] if used not in self.things]
        if missing:
            raise ResourceFailed(f"{missing} not there")
        self.things[physical_id] = dict(props)
        self.tags[physical_id] = dict(context.stack_tags)
        return Created(physical_id, {"Size": props.get("Size"), "Deep": {"Er": "down"}})


@dataclass
class Account:
    """CloudFormation in one account, its API called without HTTP."""

    api: CloudFormation
    shelf: Shelf
    call: Call = field(default_factory=lambda: Call("111122223333", "eu-west-1"))

    def __getattr__(self, name: str) -> Any:
        return lambda **params: getattr(self.api, name)(self.call, params)

    def create(self, resources: Mapping[str, Any], name: str = "s", **more: Any) -> Any:
        """Create a stack of `resources` and return its description."""
        self.create_stack(StackName=name, **self._request(resources, more))
        return self.stack(name)

    def update(self, resources: Mapping[str, Any], name: str = "s", **more: Any) -> Any:
        """Update a stack to `resources` and return its description."""
        self.update_stack(StackName=name, **self._request(resources, more))
        return self.stack(name)

    def stack(self, name: str = "s") -> Any:
        """The description of a stack."""
        return self.describe_stacks(StackName=name)["Stacks"][0]

    def status(self, name: str = "s") -> str:
        """The status of a stack."""
        return str(self.stack(name)["StackStatus"])

    def events(self, name: str = "s") -> list[tuple[str, str, str]]:
        """What happened to a stack, the oldest first: logical ID, status, reason."""
        found = self.describe_stack_events(StackName=name)["StackEvents"]
        return [
            (event["LogicalResourceId"], event["ResourceStatus"], event["ResourceStatusReason"] or "")
            for event in reversed(found)
        ]

    def physical(self, logical_id: str, name: str = "s") -> str:
        """The physical id of a resource."""
        found = self.describe_stack_resource(StackName=name, LogicalResourceId=logical_id)
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    @staticmethod
    def _request(resources: Mapping[str, Any], more: dict[str, Any]) -> dict[str, Any]:
        sections = {
            key: more.pop(key) for key in list(more) if key in ("Outputs", "Parameters_", "Conditions")
        }
        if "Parameters_" in sections:
            sections["Parameters"] = sections.pop("Parameters_")
        return {"TemplateBody": json.dumps({"Resources": resources, **sections}), **more}


def thing(**attributes: Any) -> dict[str, Any]:
    """A resource for the shelf: properties in lower case, other attributes as CloudFormation writes them."""
    properties = {key.title(): value for key, value in attributes.items() if key.islower()}
    others = {key: value for key, value in attributes.items() if not key.islower()}
    return {"Type": Shelf.type_name, "Properties": properties, **others}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """The surroundings of an engine without a server."""
    world = World(tmp_path / "data", tmp_path / "cache")
    yield world
    world.close()


@pytest.fixture(scope="session")
def new_account() -> Callable[[World], Account]:
    """The maker of accounts, for tests that need many."""

    def make(world: World) -> Account:
        api, shelf = CloudFormation(world), Shelf()
        api.engine = Engine(world, (shelf,))
        return Account(api, shelf)

    return make


@pytest.fixture
def account(world: World, new_account: Callable[[World], Account]) -> Account:
    """CloudFormation over an empty shelf."""
    return new_account(world)


@pytest.fixture(name="thing")
def thing_fixture() -> Any:
    """The maker of resources for the shelf."""
    return thing


@pytest.fixture(scope="session")
def wait_until() -> Callable[[Callable[[], object]], None]:
    """A wait for something to become true; fails after five seconds."""

    def wait(true: Callable[[], object]) -> None:
        deadline = time.monotonic() + 5
        while not true():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    return wait


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An embedded AWS."""
    folder = tmp_path_factory.mktemp("localaws")
    server = Server(folder / "data", folder / "cache")
    server.start()
    yield server
    server.stop()
