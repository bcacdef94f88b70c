"""The part of a team file about the network."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from atelier.spec.base import CIDR, DOMAIN_NAME, SECURITY_GROUP, SUBNET, VPC, Model

NetworkMode = Literal["none", "created", "existing"]
SubnetId = Annotated[str, Field(pattern=SUBNET.pattern)]
SecurityGroupId = Annotated[str, Field(pattern=SECURITY_GROUP.pattern)]
DomainName = Annotated[str, Field(pattern=DOMAIN_NAME.pattern, max_length=253)]


class Network(Model):
    """Where jobs, endpoints, Studio and notebooks run: in a VPC made here, in one that exists, or in none."""

    mode: NetworkMode = "none"
    """`created`: a VPC of the environment's own; `existing`: one named here; `none`: AWS's own network."""
    cidr: Annotated[str, Field(pattern=CIDR.pattern)] = "10.0.0.0/16"
    """The private addresses of a created network: /16 to /26, apart from the team's other networks."""
    zones: Literal[2, 3] = 2
    """In how many availability zones a created network has subnets."""
    internet: Literal["none", "nat"] = "none"
    """Whether a created network reaches the internet: not at all, or through a NAT gateway."""
    allow: Annotated[list[DomainName], Field(max_length=100)] = []
    """With `nat`: the domain names that may be reached, and no others; all of them when empty."""
    flow_logs: bool = True
    """Whether a created network records who spoke to whom."""
    endpoints: Literal["own", "shared"] = "own"
    """`own`: a created network gets the endpoints of AWS that it needs; `shared`: they exist elsewhere."""
    vpc: Annotated[str, Field(pattern=VPC.pattern)] | None = None
    """The VPC of an existing network."""
    subnets: Annotated[list[SubnetId], Field(max_length=16)] = []
    """The private subnets of an existing network, in two availability zones or more."""
    security_groups: Annotated[list[SecurityGroupId], Field(max_length=5)] = []
    """The security groups of an existing network; one is made when empty."""
