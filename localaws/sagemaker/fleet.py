"""The servers of one endpoint configuration: a variant each, chosen by weight."""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from localaws.sagemaker.model_server import ModelServer, ServerFailed
from localaws.sagemaker.models import Served
from localaws.sagemaker.network import Membership
from localaws.sagemaker.records import now
from localaws.service import AwsError

LOG_GROUP = "/aws/sagemaker/Endpoints/"
STARTUP_SECONDS = 480


@dataclass
class Variant:
    """One production variant: its server, and its share of the requests."""

    name: str
    served: Served
    server: ModelServer
    membership: Membership
    weight: float
    count: int

    def __post_init__(self) -> None:
        self.deployed = now()

    def describe(self) -> dict[str, Any]:
        """As DescribeEndpoint shows it."""
        image = self.served.image.uri
        return {
            "VariantName": self.name,
            "DeployedImages": [
                {"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": self.deployed}
            ],
            "CurrentWeight": self.weight,
            "DesiredWeight": self.weight,
            "CurrentInstanceCount": self.count,
            "DesiredInstanceCount": self.count,
        }


class Fleet:
    """The variants of one configuration, and the requests under way to them."""

    def __init__(self, config_name: str, variants: Sequence[Variant]) -> None:
        self.config_name = config_name
        self.variants = {variant.name: variant for variant in variants}
        self._under_way = 0
        self._changed = threading.Condition()

    def start(self) -> None:
        """Start every server, side by side; raises ServerFailed for the first that does not come up."""
        variants = list(self.variants.values())
        for variant in variants:
            try:
                variant.membership.join(variant.count)
            except AwsError as error:
                raise ServerFailed(error.message) from error
        with ThreadPoolExecutor(len(variants)) as pool:
            starts = [pool.submit(variant.server.start, variant.served) for variant in variants]
        for start in starts:
            start.result()

    def choose(self, target: str | None) -> Variant | None:
        """The named variant, or one at random by weight; None where there is none."""
        if target is not None:
            return self.variants.get(target)
        variants = [variant for variant in self.variants.values() if variant.weight > 0]
        # Chance by weight, as AWS spreads requests; nothing secret hangs on it.
        return random.choices(variants, [variant.weight for variant in variants])[0] if variants else None  # noqa: S311

    def enter(self) -> None:
        """A request begins; `retire` waits for it."""
        with self._changed:
            self._under_way += 1

    def leave(self) -> None:
        """A request has ended."""
        with self._changed:
            self._under_way -= 1
            self._changed.notify_all()

    def retire(self) -> None:
        """End the servers once the requests under way are answered."""
        with self._changed:
            self._changed.wait_for(lambda: self._under_way == 0, timeout=90)
        self.end()

    def end(self, *, at_once: bool = False) -> None:
        """End the servers, whatever they do."""
        for variant in self.variants.values():
            variant.server.end(at_once=at_once)
            variant.membership.leave()


def stream_name(variant: str) -> str:
    """The log stream of a variant's new instance."""
    return f"{variant}/i-{uuid.uuid4().hex[:17]}"
