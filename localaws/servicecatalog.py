"""Service Catalog as far as SageMaker's project templates need it: the portfolio that AWS shares, its users.

The products in the portfolio are not emulated, nor are projects; moto answers for portfolios of one's own.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from localaws.service import AwsError, Call, Params, Result, Service, operation
from localaws.world import World

_Place = tuple[str, str]
"""Account and region."""
_SHARED = "AWS_SERVICECATALOG"


class ServiceCatalog(Service):
    """Which portfolios are shared with an account, and with whom there."""

    name = "servicecatalog"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.enabled: dict[_Place, datetime] = {}
        self._principals: dict[_Place, dict[str, str]] = {}

    @operation("ListAcceptedPortfolioShares")
    def list_accepted_portfolio_shares(self, call: Call, params: Params) -> Result:
        """SageMaker's portfolio, once SageMaker was told to share it."""
        since = self.enabled.get((call.account, call.region))
        shown = since is not None and params.get("PortfolioShareType", "IMPORTED") == _SHARED
        return {"PortfolioDetails": [_portfolio(call, since)] if shown else []}

    @operation("AssociatePrincipalWithPortfolio")
    def associate_principal_with_portfolio(self, call: Call, params: Params) -> Result:
        """Let a role use the portfolio; one that may already is no error."""
        self._of(call, params)[params["PrincipalARN"]] = params["PrincipalType"]
        return {}

    @operation("DisassociatePrincipalFromPortfolio")
    def disassociate_principal_from_portfolio(self, call: Call, params: Params) -> Result:
        """Let a role use it no longer."""
        if self._of(call, params).pop(params["PrincipalARN"], None) is None:
            raise _missing(f"Principal {params['PrincipalARN']}")
        return {}

    @operation("ListPrincipalsForPortfolio")
    def list_principals_for_portfolio(self, call: Call, params: Params) -> Result:
        """Who may use it."""
        found = sorted(self._of(call, params).items())
        return {"Principals": [{"PrincipalARN": arn, "PrincipalType": kind} for arn, kind in found]}

    def _of(self, call: Call, params: Params) -> dict[str, str]:
        place = (call.account, call.region)
        if place not in self.enabled or params["PortfolioId"] != _id(call):
            raise _missing(f"Portfolio {params['PortfolioId']}")
        return self._principals.setdefault(place, {})


class SharedPortfolio(Service):
    """SageMaker's own switch for the portfolio."""

    name = "sagemaker"

    def __init__(self, world: World, catalog: ServiceCatalog) -> None:
        super().__init__(world)
        self._catalog = catalog

    @operation("EnableSagemakerServicecatalogPortfolio")
    def enable(self, call: Call, params: Params) -> Result:
        """Share the portfolio with the account; again is no error."""
        del params
        self._catalog.enabled.setdefault((call.account, call.region), datetime.now(UTC))
        return {}

    @operation("DisableSagemakerServicecatalogPortfolio")
    def disable(self, call: Call, params: Params) -> Result:
        """Share it no longer."""
        del params
        self._catalog.enabled.pop((call.account, call.region), None)
        return {}

    @operation("GetSagemakerServicecatalogPortfolioStatus")
    def status(self, call: Call, params: Params) -> Result:
        """Whether it is shared."""
        del params
        shared = (call.account, call.region) in self._catalog.enabled
        return {"Status": "Enabled" if shared else "Disabled"}


def _id(call: Call) -> str:
    return f"port-{call.account}"


def _portfolio(call: Call, since: datetime | None) -> dict[str, Any]:
    return {
        "Id": _id(call),
        "ARN": f"arn:aws:catalog:{call.region}:aws:portfolio/{_id(call)}",
        "DisplayName": "Amazon SageMaker Solutions and ML Ops products",
        "ProviderName": "Amazon SageMaker",
        "CreatedTime": since,
    }


def _missing(what: str) -> AwsError:
    return AwsError("ResourceNotFoundException", f"{what} not found.")
