"""Checks of how much one environment holds: what CloudFormation and EventBridge take of it."""

from __future__ import annotations

from atelier.spec import names
from atelier.spec.checks.finding import Context, Finding, Findings
from atelier.spec.document import Steps
from atelier.spec.jobs import Schedule
from atelier.spec.studio import Studio

RESOURCES, OUTPUTS, TEMPLATE = 500, 200, "1 MB"
"""What CloudFormation takes of a stack."""
ROOM = 460
"""The resources that are left for what the team file lists."""
PATTERN = 4_096
"""The characters of a rule's pattern in EventBridge."""
ROOM_OF_PATTERN = 3_800
USERS = 190
"""Users with roles of their own, each an output of the stack."""
NOTEBOOKS = 50
ANOTHER = "move some to another team, with a file of its own"


def check(context: Context) -> Findings:
    """What is too much for the stack in which it is made."""
    file = context.file
    schedules = sum(isinstance(one, Schedule) for job in file.jobs.values() for one in job.triggers)
    yield from _room(("jobs",), 3 * len(file.jobs) + schedules, "three a job, one a schedule")
    yield from _room(("jobs",), 2 * len(file.jobs) + 2 * len(file.images), "two a job, two an image")
    yield from _room(("endpoints",), 5 * len(file.endpoints), "five an endpoint, outputs included")
    if len(file.notebooks) > NOTEBOOKS:
        limit = f"their scripts fill CloudFormation's {TEMPLATE} of a template"
        reason = f"holds {len(file.notebooks)} notebook instances, and {NOTEBOOKS} have room: {limit}"
        yield Finding(("notebooks",), reason, ANOTHER, in_key=True)
    yield from _check_pattern(context)
    if file.studio is not None:
        yield from _check_studio(file.studio)


def _room(at: Steps, resources: int, each: str, remedy: str = ANOTHER) -> Findings:
    if resources > ROOM:
        limit = f"CloudFormation's {RESOURCES} less a few"
        reason = f"takes {resources} resources ({each}), and a stack has room for {ROOM}: {limit}"
        yield Finding(at, reason, remedy, in_key=True)


def _check_studio(studio: Studio) -> Findings:
    at: Steps = ("studio", "users")
    own_roles = studio.roles == "user"
    remedy = f"write  roles: domain, or {ANOTHER}" if own_roles else ANOTHER
    resources = (2 if own_roles else 1) * len(studio.users) + len(studio.spaces) + 3 * len(studio.images)
    each = f"{'two' if own_roles else 'one'} a user, one a space, three an image"
    yield from _room(at, resources, each, remedy)
    if own_roles and len(studio.users) > USERS:
        limit = f"CloudFormation's {OUTPUTS} outputs of a stack less a few"
        reason = f"holds {len(studio.users)} users with roles of their own, and {USERS} have room: {limit}"
        yield Finding(at, reason, remedy, in_key=True)


def _check_pattern(context: Context) -> Findings:
    """The rule that hears of approvals lists every job that has an endpoint."""
    team, env = context.file.team, context.environment
    jobs = {job for endpoint in context.file.endpoints.values() for job in endpoint.served.values()}
    size = sum(len(f'"{names.model_package_group(team, env, job)}",') for job in jobs)
    if size > ROOM_OF_PATTERN:
        reason = (
            f"serves {len(jobs)} jobs, whose names take {size} characters, and there is room for"
            f" {ROOM_OF_PATTERN}: EventBridge's {PATTERN} of a rule less a few"
        )
        yield Finding(("endpoints",), reason, f"shorten the names of the jobs, or {ANOTHER}", in_key=True)
