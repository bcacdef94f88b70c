"""EventBridge of the embedded AWS, and the events that other services give it."""

from localaws.events.delivery import emit
from localaws.events.service import Events

__all__ = ["Events", "emit"]
