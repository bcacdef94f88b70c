"""EC2's networks, as strict as AWS: what is in use does not go, and what AWS makes for a service holds it."""

from localaws.ec2.interfaces import attach_interface, detach_interface
from localaws.ec2.service import Ec2

__all__ = ["Ec2", "attach_interface", "detach_interface"]
