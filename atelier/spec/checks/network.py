"""Checks of the network: what belongs to its mode, and whether its addresses suffice."""

from __future__ import annotations

import ipaddress

from atelier.spec.checks.finding import Context, Finding, Findings, twice
from atelier.spec.document import Steps
from atelier.spec.network import Network, NetworkMode

SMALLEST_SUBNET = 28
"""AWS's smallest subnet is a /28, its largest VPC a /16."""
LARGEST_VPC = 16
SMALLEST_VPC = SMALLEST_SUBNET - 2
"""Room for a third zone and a way out is kept whatever is asked for, so that adding one moves nothing."""
PRIVATE = [ipaddress.IPv4Network(one) for one in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]
"""The private addresses of RFC 1918, as AWS advises: others are the internet's, or reserved."""
DOCKER = ipaddress.IPv4Network("172.17.0.0/16")
"""The addresses of the containers within Studio's apps and notebook instances; AWS asks to avoid them."""
LEAST_SUBNETS = 2
"""SageMaker asks for two availability zones."""

FIELDS: dict[NetworkMode, tuple[str, ...]] = {
    "none": (),
    "created": ("cidr", "zones", "internet", "allow", "flow_logs", "endpoints"),
    "existing": ("vpc", "subnets", "security_groups"),
}
"""What may be written beside each mode."""


def check(context: Context) -> Findings:
    """What is wrong with the environment's network."""
    at: Steps = ("environments", context.environment, "network")
    network = context.declared.network
    yield from _check_fields(at, network)
    if network.mode == "created":
        yield from _check_created(at, network)
    elif network.mode == "existing":
        yield from _check_existing(at, network)


def _check_fields(at: Steps, network: Network) -> Findings:
    for key in sorted(network.model_fields_set - {"mode", *FIELDS[network.mode]}):
        mode = next(mode for mode, keys in FIELDS.items() if key in keys)
        reason = f"belongs to a network of mode {mode}; this one has mode {network.mode}"
        yield Finding((*at, key), reason, f"write  mode: {mode}, or remove {key}", in_key=True)


def _check_created(at: Steps, network: Network) -> Findings:
    yield from _check_cidr((*at, "cidr"), network)
    yield from twice((*at, "allow"), network.allow, "domain name")
    if network.allow and network.internet == "none":
        reason = "without a way to the internet there is nothing to allow"
        yield Finding((*at, "allow"), reason, "write  internet: nat, or remove allow", in_key=True)


def _check_cidr(at: Steps, network: Network) -> Findings:
    try:
        cidr = ipaddress.IPv4Network(network.cidr)
    except ValueError as error:
        yield Finding(at, f"is no range of addresses: {error}", _remedy(network.cidr))
        return
    if not any(cidr.subnet_of(one) for one in PRIVATE):
        ranges = ", ".join(map(str, PRIVATE))
        yield Finding(at, "is no range of private addresses", f"take one of {ranges}, such as  10.0.0.0/16")
    elif cidr.prefixlen < LARGEST_VPC:
        reason = f"is larger than a VPC can be, which is /{LARGEST_VPC}"
        yield Finding(at, reason, f"write  {cidr.network_address}/{LARGEST_VPC}")
    elif cidr.prefixlen > SMALLEST_VPC:
        reason = f"is too small for three zones and the way out, each at least a /{SMALLEST_SUBNET}"
        wider = cidr.supernet(new_prefix=SMALLEST_VPC)
        yield Finding(at, reason, f"write  {wider} or a larger range")
    elif cidr.overlaps(DOCKER):
        reason = f"overlaps {DOCKER}, which Docker uses within Studio and notebook instances"
        yield Finding(at, reason, "such as  10.0.0.0/16")


def _remedy(cidr: str) -> str:
    """The range that was meant, if only its bits below the mask are wrong."""
    try:
        return f"write  {ipaddress.IPv4Network(cidr, strict=False)}"
    except ValueError:
        return "such as  10.0.0.0/16"


def _check_existing(at: Steps, network: Network) -> Findings:
    if network.vpc is None:
        yield Finding(at, "an existing network needs the id of its VPC", "add  vpc: vpc-…", in_key=True)
    if len(network.subnets) < LEAST_SUBNETS:
        reason = "SageMaker needs subnets in two availability zones"
        here = (*at, "subnets") if "subnets" in network.model_fields_set else at
        yield Finding(here, reason, "add  subnets: [subnet-…, subnet-…]", in_key=True)
    yield from twice((*at, "subnets"), network.subnets, "subnet")
    yield from twice((*at, "security_groups"), network.security_groups, "security group")
