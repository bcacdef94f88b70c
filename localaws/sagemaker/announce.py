"""Tell EventBridge what changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from localaws.events import emit
from localaws.sagemaker.records import Record
from localaws.world import World


def announce(world: World, record: Record, kind: str, detail: dict[str, Any]) -> None:
    """Emit `SageMaker <kind> State Change`; times are milliseconds since 1970, as AWS sends them."""
    emit(
        world,
        record.call.account,
        record.call.region,
        source="aws.sagemaker",
        detail_type=f"SageMaker {kind} State Change",
        detail={**_plain(detail), "Tags": dict(record.tags)},
        resources=[record.arn],
    )


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return int(value.timestamp() * 1000)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
