"""Where moto does otherwise than AWS and its API has no door: each place that is replaced, and why.

The replacements are made once in a process, as moto's state exists once in it; what they do, they do for
the latest server that still runs.
"""

from __future__ import annotations

import functools
import inspect
import threading
import time
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from moto.core.responses import ActionResult
from moto.events.models import Rule
from moto.iam.access_control import PermissionResult
from moto.iam.models import IAMBackend
from moto.s3 import notifications
from moto.s3.models import FakeBucket, S3Backend
from moto.s3.notifications import S3NotificationEvent
from moto.s3.responses import S3Response
from moto.sns.models import Subscription
from moto.utilities import utils as moto_files

from localaws import limits
from localaws.events import delivery, s3, sns
from localaws.world import World

ACCESS_LOG_DELAY_SECONDS = 300.0
"""How old a request to S3 is at least when its access log is delivered, with some later request."""

_worlds: list[World] = []


def apply(world: World) -> None:
    """Lead moto's events to the services of `world`."""
    if not _worlds:
        for patch in (
            _let_s3_tell_of_created_objects,
            _let_s3_tell_of_deleted_objects,
            _let_s3_show_its_event_bridge,
            _let_no_bucket_policy_deny,
            _let_logs_go_to_a_bucket_without_a_policy_yet,
            _let_access_logs_come_late,
            _let_sns_reach_functions_and_people,
            _let_rules_reach_every_target,
            _let_ec2_know_no_offerings,
            _let_iam_and_s3_keep_limits,
        ):
            patch()
    _worlds.append(world)


def _world() -> World:
    """Where events go."""
    while len(_worlds) > 1 and _worlds[-1].stopping.is_set():
        _worlds.pop()
    return _worlds[-1]


def _let_s3_tell_of_created_objects() -> None:
    """Full messages for every target; moto's lack half the fields and go to its own Lambda.

    Its events for tags and ACLs are left out, since it sends them for each PutObject as well, and those
    for deletions are told where they happen, as moto says nothing of delete markers.
    """
    events = {
        S3NotificationEvent.OBJECT_CREATED_PUT_EVENT: ("Put", "PutObject"),
        S3NotificationEvent.OBJECT_CREATED_POST_EVENT: ("Post", "PostObject"),
        S3NotificationEvent.OBJECT_CREATED_COPY_EVENT: ("Copy", "CopyObject"),
        S3NotificationEvent.OBJECT_CREATED_COMPLETE_MULTIPART_UPLOAD_EVENT: (
            "CompleteMultipartUpload",
            "CompleteMultipartUpload",
        ),
    }

    def send_event(account_id: str, event_name: S3NotificationEvent, bucket: Any, key: Any) -> None:
        # To moto, the end of a multipart upload is a put as well.
        part_of_upload = event_name == S3NotificationEvent.OBJECT_CREATED_PUT_EVENT and key.multipart
        if event_name in events and not part_of_upload:
            s3.notify(_world(), s3.Change.created(account_id, bucket, key, *events[event_name]))

    notifications.send_event = send_event


def _let_s3_tell_of_deleted_objects() -> None:
    """Tell of deletions and of delete markers."""
    original = S3Backend.delete_object

    @functools.wraps(original)
    def delete_object(
        self: S3Backend, bucket_name: str, key_name: str, version_id: str | None = None, **options: Any
    ) -> tuple[bool, dict[str, Any]]:
        bucket = self.get_bucket(bucket_name)
        existed = key_name in bucket.keys
        success, meta = original(self, bucket_name, key_name, version_id, **options)
        if success and existed:
            marker = bucket.is_versioned and version_id is None
            version = meta.get("version-id")
            s3.notify(_world(), s3.Change.deleted(self.account_id, bucket, key_name, version, marker=marker))
        return success, meta

    S3Backend.delete_object = delete_object


def _let_s3_show_its_event_bridge() -> None:
    """Moto keeps EventBridgeConfiguration, and leaves it out of GetBucketNotificationConfiguration."""
    original = S3Response.get_bucket_notification

    @functools.wraps(original)
    def get_bucket_notification(self: S3Response) -> Any:
        config = self.backend.get_bucket_notification_configuration(self.bucket_name)
        if config is not None and config.event_bridge is not None:
            serialize = self.serialized
            self.serialized = lambda answer: serialize(
                ActionResult({**answer.result, "EventBridgeConfiguration": {}})
            )
        return original(self)

    S3Response.get_bucket_notification = get_bucket_notification


def _let_no_bucket_policy_deny() -> None:
    """Moto reads no Condition: a policy that denies plain HTTP would deny all. IAM is not enforced here."""
    original = FakeBucket.get_permission

    @functools.wraps(original)
    def get_permission(self: FakeBucket, action: str, resource: str) -> PermissionResult:
        found = original(self, action, resource)
        return PermissionResult.NEUTRAL if found == PermissionResult.DENIED else found

    FakeBucket.get_permission = get_permission


def _let_logs_go_to_a_bucket_without_a_policy_yet() -> None:
    """S3 takes a target for access logs before its policy lets the logs in, as a stack's order needs."""
    FakeBucket._log_permissions_enabled_policy = lambda *_, **__: True  # noqa: SLF001 -- there is no door


def _let_access_logs_come_late() -> None:
    """S3 delivers them within hours; moto at once, into a bucket that is being emptied to be deleted."""
    original = S3Backend.log_incoming_request
    lock = threading.Lock()
    waiting: deque[tuple[float, S3Backend, SimpleNamespace, str]] = deque()

    def log_incoming_request(self: S3Backend, request: Any, bucket_name: str) -> None:
        # Only what a log line shows of the request is kept, not its body.
        agent = {"User-Agent": request.headers.get("User-Agent")}
        shown = SimpleNamespace(method=request.method, url=request.url, headers=agent)
        with lock:
            if bucket_name in self.buckets and self.buckets[bucket_name].logging:
                waiting.append((time.monotonic(), self, shown, bucket_name))
            while waiting and waiting[0][0] + ACCESS_LOG_DELAY_SECONDS <= time.monotonic():
                original(*waiting.popleft()[1:])

    S3Backend.log_incoming_request = log_incoming_request


def _let_sns_reach_functions_and_people() -> None:
    """Moto asks its own Lambda, and drops mail."""
    original = Subscription.publish

    @functools.wraps(original)
    def publish(self: Subscription, message: str, message_id: str, **options: Any) -> None:
        if self.protocol not in sns.PROTOCOLS:
            original(self, message, message_id, **options)
            return
        attributes = options.get("message_attributes")
        matcher = self._filter_policy_matcher
        if matcher is not None and not matcher.matches(attributes, message):
            return
        if options.get("message_structure") == "json":
            message = self._parse_message_structure(message, self.protocol)
        notification = sns.Notification(
            account=self.account_id,
            topic_arn=self.topic.arn,
            subscription_arn=self.arn,
            protocol=self.protocol,
            endpoint=self.endpoint,
            message_id=message_id,
            subject=options.get("subject"),
            message=message,
            attributes=attributes or {},
        )
        world = _world()
        world.background(sns.deliver, world, notification)

    Subscription.publish = publish


def _let_ec2_know_no_offerings() -> None:
    """Moto reads which instance type is offered where, 70 MB, as soon as a network or a scaling is looked at.

    No instance runs here: EC2 answers that it is not emulated (see `localaws.ec2`).
    """
    original = moto_files.load_resource

    @functools.wraps(original)
    def load_resource(filename: str) -> Any:
        return [] if "instance_type_offerings" in filename else original(filename)

    moto_files.load_resource = load_resource


def _let_rules_reach_every_target() -> None:
    """Moto sends the events of a replay itself, and to few kinds of target."""

    def send_to_targets(self: Rule, original_event: Any, **_: Any) -> None:
        if delivery.matches(self, original_event):
            delivery.send_to_targets(_world(), self, original_event)

    Rule.send_to_targets = send_to_targets


def _let_iam_and_s3_keep_limits() -> None:
    """Moto takes names of any kind, and policies of any size and number (see `localaws.limits`)."""
    for backend, checks in ((IAMBackend, limits.IAM), (S3Backend, limits.S3)):
        for method, check in checks.items():
            setattr(backend, method, _checked(getattr(backend, method), check))


def _checked(original: Callable[..., Any], check: Callable[[Any, limits.Asked], None]) -> Callable[..., Any]:
    signature = inspect.signature(original)

    @functools.wraps(original)
    def checked(self: Any, *args: Any, **options: Any) -> Any:
        check(self, signature.bind(self, *args, **options).arguments)
        return original(self, *args, **options)

    return checked
