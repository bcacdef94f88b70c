"""Service Quotas, for SageMaker: what an account may run of each instance type.

AWS's defaults depend on the age of an account and change; these are like those of an account that has been
used a little: some of the common types, none of those with accelerators. The codes are not AWS's. Nothing
here keeps to a quota, and an increase that is asked for is granted at once.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from moto.core.utils import get_service_model

from localaws.service import AwsError, Call, NotEmulated, Params, Result, Service, operation

CODE, NAME = "sagemaker", "Amazon SageMaker"
PAGE = 100
MOST_DOMAINS = 5


@dataclass(frozen=True)
class _Use:
    """A way to use instances: its quotas' name, the shape with its types, how many there may be of most."""

    quota: str
    shape: str
    default: int


USES = (
    _Use("{} for training job usage", "TrainingInstanceType", 15),
    _Use("{} for spot training job usage", "TrainingInstanceType", 10),
    _Use("{} for processing job usage", "ProcessingInstanceType", 8),
    _Use("{} for transform job usage", "TransformInstanceType", 8),
    _Use("{} for endpoint usage", "ProductionVariantInstanceType", 8),
    _Use("{} for notebook instance usage", "InstanceType", 8),
    _Use("Studio JupyterLab Apps running on {} instances", "AppInstanceType", 8),
    _Use("Studio CodeEditor Apps running on {} instances", "AppInstanceType", 8),
)
_ACCELERATED = re.compile(r"ml\.(g|p|inf|trn|dl)\d")
_LARGE = re.compile(r"\.(\d+)xlarge$")
_LARGEST_BY_DEFAULT = 4
"""Of `4xlarge` and smaller some may run; of larger ones none."""


class ServiceQuotas(Service):
    """The quotas of SageMaker; those of other services are refused by name."""

    name = "service-quotas"

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self._granted: dict[tuple[Call, str], float] = {}
        self._requests: list[tuple[Call, dict[str, Any]]] = []

    @operation("ListServiceQuotas")
    def list_quotas(self, call: Call, params: Params) -> Result:
        """All quotas as they are in the account, 100 a page."""
        _check_service(params)
        start, size = int(params.get("NextToken") or 0), min(PAGE, params.get("MaxResults") or PAGE)
        codes = list(_defaults())
        page = [self._described(call, code) for code in codes[start : start + size]]
        more = {"NextToken": str(start + size)} if start + size < len(codes) else {}
        return {"Quotas": page, **more}

    @operation("GetServiceQuota")
    def get_quota(self, call: Call, params: Params) -> Result:
        """One quota as it is in the account."""
        _check_service(params)
        return {"Quota": self._described(call, params["QuotaCode"])}

    @operation("RequestServiceQuotaIncrease")
    def request_increase(self, call: Call, params: Params) -> Result:
        """Grant an increase."""
        _check_service(params)
        quota, wanted = self._described(call, params["QuotaCode"]), params["DesiredValue"]
        if wanted <= quota["Value"]:
            message = "You must provide a quota value greater than the current quota value."
            raise AwsError("IllegalArgumentException", message)
        self._granted[call, quota["QuotaCode"]] = wanted
        now = datetime.now(UTC)
        request = {
            **{name: quota[name] for name in ("ServiceCode", "ServiceName", "QuotaCode", "QuotaName")},
            "Id": uuid.uuid4().hex,
            "DesiredValue": wanted,
            "Status": "APPROVED",
            "Created": now,
            "LastUpdated": now,
        }
        self._requests.append((call, request))
        return {"RequestedQuota": request}

    @operation("ListRequestedServiceQuotaChangeHistory")
    def list_requests(self, call: Call, params: Params) -> Result:
        """The increases that have been asked for, all granted, on one page."""
        status = params.get("Status", "APPROVED")
        found = [one for caller, one in self._requests if caller == call and one["Status"] == status]
        return {"RequestedQuotas": found}

    def _described(self, call: Call, code: str) -> dict[str, Any]:
        default = _defaults().get(code)
        if default is None:
            raise AwsError("NoSuchResourceException", f"The request failed because there is no quota {code}.")
        name, value = default
        return {
            "ServiceCode": CODE,
            "ServiceName": NAME,
            "QuotaArn": f"arn:aws:servicequotas:{call.region}:{call.account}:{CODE}/{code}",
            "QuotaCode": code,
            "QuotaName": name,
            "Value": self._granted.get((call, code), float(value)),
            "Unit": "None",
            "Adjustable": True,
            "GlobalQuota": False,
        }


def _check_service(params: Params) -> None:
    if params["ServiceCode"] != CODE:
        raise NotEmulated(f"service-quotas: the quotas of {params['ServiceCode']}")


@cache
def _defaults() -> Mapping[str, tuple[str, int]]:
    """The name and value of each quota, by its code."""
    model: Any = get_service_model("sagemaker")
    named = {"Total domains": MOST_DOMAINS}
    for use in USES:
        for instance_type in model.shape_for(use.shape).enum:
            if instance_type.startswith("ml."):
                named[use.quota.format(instance_type)] = use.default if _is_common(instance_type) else 0
    return {
        f"L-{hashlib.sha256(name.encode()).hexdigest()[:8].upper()}": (name, named[name]) for name in named
    }


def _is_common(instance_type: str) -> bool:
    large = _LARGE.search(instance_type)
    return not _ACCELERATED.match(instance_type) and (not large or int(large[1]) <= _LARGEST_BY_DEFAULT)
