"""What everything that runs containers needs of the embedded AWS."""

from __future__ import annotations

from dataclasses import dataclass

from localaws.sagemaker.environments import Environments
from localaws.sagemaker.images import Images
from localaws.sagemaker.logs import LogShipper
from localaws.world import World


@dataclass(frozen=True)
class Site:
    """The world, and in it the images, Python environments and logs of SageMaker."""

    world: World
    images: Images
    environments: Environments
    logs: LogShipper

    @classmethod
    def of(cls, world: World) -> Site:
        """The site of one embedded AWS."""
        return cls(world, Images(world.options.containers), Environments(world.cache), LogShipper(world))
