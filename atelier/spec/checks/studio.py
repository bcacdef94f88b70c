"""Checks of Studio and the notebook instances: who signs in how, and what each may use."""

from __future__ import annotations

from atelier.spec import defaults, instances, schedule
from atelier.spec.checks import lifecycle
from atelier.spec.checks.finding import Context, Finding, Findings, alike, twice
from atelier.spec.checks.types import check_type
from atelier.spec.document import Steps
from atelier.spec.problems import choose
from atelier.spec.studio import SWITCHED_TOOLS, Idle, Notebook, Space, Storage, Studio, StudioUser

AT: Steps = ("studio",)


def check(context: Context) -> Findings:
    """What is wrong with the domain, its people and spaces, and the notebook instances."""
    studio = context.file.studio
    if studio is not None:
        yield from _check_network(context, AT, "a Studio domain")
        yield from _check_sign_in(studio)
        yield from _check_domain(context, studio)
        yield from _check_lifecycle(context, studio)
        yield from alike((*AT, "users"), studio.users, "user")
        for name, user in studio.users.items():
            yield from _check_user((*AT, "users", name), studio, user)
        yield from alike((*AT, "spaces"), studio.spaces, "space")
        for name, space in studio.spaces.items():
            yield from _check_space((*AT, "spaces", name), studio, space)
    for name, notebook in context.file.notebooks.items():
        yield from _check_notebook(context, ("notebooks", name), notebook)


def _check_network(context: Context, at: Steps, what: str) -> Findings:
    if context.declared.network.mode == "none":
        env = context.environment
        reason = f"{what} needs a network, and the environment {env} has none"
        key = ".".join(str(step) for step in at)
        remedy = f"add  network: {{mode: created}}  to environments.{env}, or remove {key} in its override"
        yield Finding(at, reason, remedy, in_key=True)


def _check_sign_in(studio: Studio) -> Findings:
    """Identity Center and its users belong to `sign_in: sso`, and to nothing else."""
    sso = studio.sign_in == "sso"
    if sso and studio.identity_center is None:
        remedy = "add  identity_center: arn:aws:sso:::instance/ssoins-…  (aws sso-admin list-instances)"
        yield Finding((*AT, "sign_in"), "signing in with SSO needs an IAM Identity Center instance", remedy)
    if not sso and studio.identity_center is not None:
        reason = "belongs to  sign_in: sso"
        yield Finding((*AT, "identity_center"), reason, "write  sign_in: sso, or remove this", in_key=True)
    seen: dict[str, str] = {}
    for name, user in studio.users.items():
        at = (*AT, "users", name)
        if sso and user.sso_user is None:
            reason = "signs in with SSO, and this does not say as whom"
            yield Finding(at, reason, "add  sso_user: <name in Identity Center>", in_key=True)
        elif not sso and user.sso_user is not None:
            reason = "belongs to  sign_in: sso"
            yield Finding((*at, "sso_user"), reason, "write  sign_in: sso, or remove this", in_key=True)
        elif user.sso_user is not None:
            other = seen.setdefault(user.sso_user.lower(), name)
            if other != name:
                reason = f"the user {other} has this name in Identity Center already"
                yield Finding((*at, "sso_user"), reason, "remove one of the two users, or correct the name")


def _check_domain(context: Context, studio: Studio) -> Findings:
    for index, instance_type in enumerate(studio.instances):
        yield from check_type((*AT, "instances", index), instance_type, "studio")
    yield from twice((*AT, "instances"), studio.instances, "instance type")
    yield from twice((*AT, "repositories"), studio.repositories, "repository")
    yield from twice((*AT, "hidden_tools"), studio.hidden_tools, "tool")
    yield from _check_bounds((*AT, "storage_gb"), studio.storage_gb)
    yield from _check_bounds((*AT, "idle_minutes"), studio.idle_minutes)
    for index, tool in enumerate(studio.hidden_tools):
        here = (*AT, "hidden_tools", index)
        if tool in instances.NOT_HIDEABLE:
            yield Finding(here, "CloudFormation cannot hide this tool yet", "remove it")
        elif tool not in instances.tools():
            remedy = choose(tool, instances.tools() - instances.NOT_HIDEABLE, nothing="")
            yield Finding(here, "Studio has no such tool to hide", remedy)
        for key in (key for key, switched in SWITCHED_TOOLS.items() if switched == tool):
            if getattr(studio, key):
                reason = f"{context.place((*AT, key))} shows this tool"
                yield Finding(here, reason, f"write  {key}: false, or remove this")
    for name, image in studio.images.items():
        if image.image not in context.file.images:
            nothing = f"declare it:  images: {{{image.image}: {{}}}}"
            remedy = choose(image.image, context.file.images, nothing=nothing)
            yield Finding((*AT, "images", name, "image"), "no image is declared under this name", remedy)


def _check_bounds(at: Steps, bounds: Storage | Idle) -> Findings:
    """The default lies between the bounds."""
    if isinstance(bounds, Idle) and bounds.default < bounds.min:
        reason = f"the default {bounds.default} is less than min, {bounds.min}"
        yield Finding((*at, "default"), reason, "raise default, or lower min")
    if bounds.default > bounds.max:
        reason = f"the default {bounds.default} is more than max, {bounds.max}"
        yield Finding((*at, "default"), reason, "lower default, or raise max")


def _check_lifecycle(context: Context, studio: Studio) -> Findings:
    apps = studio.lifecycle
    for app, names in {"jupyterlab": apps.jupyterlab, "code_editor": apps.code_editor}.items():
        yield from lifecycle.check_apps(context, (*AT, "lifecycle", app), names)
    if studio.packages is not None:
        at = (*AT, "packages")
        yield from lifecycle.check_file(context, at, studio.packages)
        notebooks = [name for one in context.file.notebooks.values() for name in one.lifecycle]
        used = [*apps.jupyterlab, *apps.code_editor, *notebooks]
        if not lifecycle.reads(context, used, lifecycle.PACKAGES):
            remedy = "add  lifecycle: {jupyterlab: [install_packages]}, or remove packages"
            yield Finding(at, "no lifecycle script installs these", remedy)


def _check_user(at: Steps, studio: Studio, user: StudioUser) -> Findings:
    yield from twice((*at, "instances"), user.instances or [], "instance type")
    for index, instance_type in enumerate(user.instances or []):
        if instance_type not in studio.instances:
            remedy = choose(instance_type, studio.instances, nothing="")
            reason = f"{instance_type} is not among the instances of the domain"
            yield Finding((*at, "instances", index), reason, f"{remedy} Or add it to studio.instances")
    resolved = defaults.user(studio, user)
    if user.storage_gb and resolved.storage_gb:
        yield from _check_bounds((*at, "storage_gb"), resolved.storage_gb)
    if user.idle_minutes and resolved.idle_minutes:
        yield from _check_bounds((*at, "idle_minutes"), resolved.idle_minutes)
    if (user.git_name is None) != (user.git_email is None):
        missing = "git_email" if user.git_email is None else "git_name"
        yield Finding(at, "a Git identity is a name and an address", f"add  {missing}", in_key=True)


def _check_space(at: Steps, studio: Studio, space: Space) -> Findings:
    if space.owner not in studio.users:
        remedy = choose(space.owner, studio.users, nothing="declare the user under studio.users")
        yield Finding((*at, "owner"), "the domain has no such user", remedy)
        return
    owner = defaults.user(studio, studio.users[space.owner])
    if space.instance and owner.instances and space.instance not in owner.instances:
        remedy = choose(space.instance, owner.instances, nothing="")
        reason = f"its owner {space.owner} may not use {space.instance}"
        yield Finding((*at, "instance"), reason, remedy)
    if space.storage_gb and owner.storage_gb and space.storage_gb > owner.storage_gb.max:
        reason = f"its owner {space.owner} may have {owner.storage_gb.max} GB"
        yield Finding((*at, "storage_gb"), reason, "lower it, or raise storage_gb.max of the owner or domain")


def _check_notebook(context: Context, at: Steps, notebook: Notebook) -> Findings:
    yield from _check_network(context, at, "a notebook instance")
    yield from check_type((*at, "instance"), notebook.instance, "notebook")
    yield from lifecycle.check_notebook(context, (*at, "lifecycle"), notebook)
    wrong = schedule.wrong(notebook.stop_at) if notebook.stop_at else None
    if wrong:
        yield Finding((*at, "stop_at"), *wrong)
    users = context.file.studio.users if context.file.studio else {}
    if notebook.owner is not None and notebook.owner not in users:
        remedy = choose(notebook.owner, users, nothing="declare the user under studio.users")
        yield Finding((*at, "owner"), "Studio has no such user", remedy)
