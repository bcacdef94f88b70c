"""Studio and notebook instances: their parts, over one catalog."""

from __future__ import annotations

from collections.abc import Iterator

from localaws.sagemaker.studio.app_image_configs import AppImageConfigs
from localaws.sagemaker.studio.apps import Apps
from localaws.sagemaker.studio.catalog import Catalog
from localaws.sagemaker.studio.code_repositories import CodeRepositories
from localaws.sagemaker.studio.domains import Domains
from localaws.sagemaker.studio.images import Images
from localaws.sagemaker.studio.lifecycle_configs import LifecycleConfigs
from localaws.sagemaker.studio.notebook_configs import NotebookConfigs
from localaws.sagemaker.studio.notebooks import Notebooks
from localaws.sagemaker.studio.profiles import Profiles
from localaws.sagemaker.studio.spaces import Spaces
from localaws.service import Handler, Service
from localaws.world import World

_PARTS = (
    Domains,
    Profiles,
    Spaces,
    Apps,
    LifecycleConfigs,
    Images,
    AppImageConfigs,
    Notebooks,
    NotebookConfigs,
    CodeRepositories,
)


class Studio(Service):
    """Every operation on what Studio and notebook instances are made of."""

    name = "sagemaker"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._catalog = Catalog(world)
        self.tables = self._catalog.tables()
        self._parts = [part(self._catalog) for part in _PARTS]

    def stop(self) -> None:
        """Forget all that was to come."""
        self._catalog.stop()

    def operations(self) -> Iterator[tuple[str, Handler]]:
        """What the parts answer."""
        for part in self._parts:
            yield from part.operations()
