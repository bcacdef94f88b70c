"""CloudFormation's API over the engine."""

from __future__ import annotations

from collections.abc import Iterator

from moto.core.utils import get_service_model

from localaws.cloudformation.api_change_sets import ChangeSetOperations
from localaws.cloudformation.api_reading import ReadingOperations
from localaws.cloudformation.engine import Engine
from localaws.service import Handler, Refusal, Service
from localaws.world import World


class CloudFormation(ChangeSetOperations, ReadingOperations, Service):
    """The whole of CloudFormation: what is not answered here must not reach moto's own stacks."""

    name = "cloudformation"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.engine = Engine(world)

    def operations(self) -> Iterator[tuple[str, Handler]]:
        """The operations answered, then every other one of CloudFormation, which is refused by name."""
        answered = dict(super().operations())
        yield from answered.items()
        for name in get_service_model(self.name).operation_names:
            if name not in answered:
                yield name, Refusal(f"CloudFormation's {name}")
