"""A custom resource of CloudFormation that offers SageMaker's project templates to the people in Studio.

They are products of Service Catalog, in a portfolio that AWS shares with an account once it is switched on
there; each role that is to use them has to be associated with it. CloudFormation can do neither. The switch
is the account's and stays on: other teams may use it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from lambdas.shared.clients import client
from lambdas.shared.custom_resource import respond
from lambdas.shared.logs import Log

PROVIDER = "Amazon SageMaker"
PHYSICAL_ID = "project-templates"

log = Log("offer_templates")


class NoPortfolio(Exception):
    """AWS does not share the templates with this account and region."""


def handler(event: Mapping[str, Any], context: object) -> None:
    """Lambda's entry point, called by CloudFormation, which waits for the answer at the event's URL."""
    del context

    def work() -> None:
        now = set() if event["RequestType"] == "Delete" else set(event["ResourceProperties"]["Roles"])
        before = set() if event["RequestType"] == "Create" else _roles_before(event)
        offer(client("sagemaker"), client("servicecatalog"), to=now, no_longer_to=before - now)

    failure = respond(event, PHYSICAL_ID, work)
    if failure:
        log.failure("not offered", failure)


def offer(sagemaker: Any, catalog: Any, *, to: Iterable[str], no_longer_to: Iterable[str]) -> None:
    """Let the roles `to`, by their ARNs, use the templates, and those of `no_longer_to` not.

    Whoever may already, or may not, is no error.

    Raises:
        NoPortfolio: there are none to offer.
    """
    to = sorted(to)
    if to:
        sagemaker.enable_sagemaker_servicecatalog_portfolio()
    portfolios = _portfolios(catalog)
    if to and not portfolios:
        raise NoPortfolio(
            f"{PROVIDER} shares no portfolio of templates with this account in this region:"
            " write  project_templates: false  in the team file"
        )
    for portfolio in portfolios:
        for role in to:
            catalog.associate_principal_with_portfolio(
                PortfolioId=portfolio, PrincipalARN=role, PrincipalType="IAM"
            )
        for role in sorted(no_longer_to):
            with suppress(catalog.exceptions.ResourceNotFoundException):
                catalog.disassociate_principal_from_portfolio(PortfolioId=portfolio, PrincipalARN=role)


def _roles_before(event: Mapping[str, Any]) -> set[str]:
    return set((event.get("OldResourceProperties") or event["ResourceProperties"])["Roles"])


def _portfolios(catalog: Any) -> list[str]:
    pages = catalog.get_paginator("list_accepted_portfolio_shares").paginate(
        PortfolioShareType="AWS_SERVICECATALOG"
    )
    return [
        portfolio["Id"]
        for page in pages
        for portfolio in page["PortfolioDetails"]
        if portfolio.get("ProviderName") == PROVIDER
    ]
