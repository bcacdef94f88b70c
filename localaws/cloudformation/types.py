"""The resource types by name: those of the `resources` package, and those that need the engine itself."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from functools import cache

from localaws.cloudformation import resources
from localaws.cloudformation.custom_resource import CustomResource
from localaws.cloudformation.resource import ResourceType
from localaws.cloudformation.small_types import SMALL_TYPES


class Types:
    """Every resource type that the embedded AWS can make."""

    def __init__(self, more: Iterable[ResourceType] = ()) -> None:
        self._types = {found.type_name: found for found in (*_collected(), *more)}
        self._custom = CustomResource()

    def get(self, type_name: str) -> ResourceType | None:
        """The type of that name, or None where it is not emulated."""
        if type_name.startswith("Custom::"):
            return self._custom
        return self._types.get(type_name)

    def __getitem__(self, type_name: str) -> ResourceType:
        found = self.get(type_name)
        if found is None:
            raise KeyError(type_name)
        return found

    def __iter__(self) -> Iterator[ResourceType]:
        return iter(sorted(self._types.values(), key=lambda found: found.type_name))


@cache
def _collected() -> tuple[ResourceType, ...]:
    found: list[ResourceType] = [CustomResource(), *(kind() for kind in SMALL_TYPES)]
    for module in pkgutil.iter_modules(resources.__path__):
        if not module.name.startswith("_"):
            types = importlib.import_module(f"{resources.__name__}.{module.name}").TYPES
            found.extend(kind() for kind in types)
    return tuple(found)
