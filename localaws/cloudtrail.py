"""CloudTrail, as far as the CDK command asks it after a failed deployment."""

from __future__ import annotations

from localaws.service import Call, Params, Result, Service, operation


class CloudTrail(Service):
    """No calls are recorded, so looking them up finds none; moto answers for trails."""

    name = "cloudtrail"

    @operation("LookupEvents")
    def lookup_events(self, call: Call, params: Params) -> Result:
        """An empty list."""
        del call, params
        return {"Events": []}
