"""The services of the embedded AWS, in the order in which they start."""

from __future__ import annotations

from localaws.lambda_ import Lambda
from localaws.service import Service
from localaws.world import World


def build_services(world: World) -> list[Service]:
    """One instance of each service that answers for itself; every other API is moto's."""
    return [
        Lambda(world),
    ]
