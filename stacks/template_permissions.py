"""What it takes to offer SageMaker's project templates, and to make projects of them."""

from __future__ import annotations

from atelier.spec.model import TeamEnvironment
from stacks.arns import Arns
from stacks.constructs.permission import Permission

UNSCOPED = {
    "sagemaker:EnableSagemakerServicecatalogPortfolio": "a switch of the account; takes no resource",
    "sagemaker:ListProjects": "takes no resource",
    "servicecatalog:ListAcceptedPortfolioShares": "takes no resource",
    "servicecatalog:SearchProducts": "takes no resource",
}
"""Actions that AWS lets nobody narrow to a resource, each with the reason."""


def are_on(spec: TeamEnvironment) -> bool:
    """Whether the environment offers project templates."""
    return spec.studio is not None and spec.studio.project_templates


def within_boundary(kind: str, spec: TeamEnvironment) -> list[Permission]:
    """What a kind of role (see `stacks.permissions`) can be allowed besides, where templates are offered."""
    allowed = {"functions": offer, "workplaces": use}.get(kind)
    return allowed(spec) if allowed and are_on(spec) else []


def offer(spec: TeamEnvironment) -> list[Permission]:
    """Share AWS's portfolio with the account, and associate roles with it."""
    return [
        _unscoped(
            "SharePortfolio",
            "sagemaker:EnableSagemakerServicecatalogPortfolio",
            "servicecatalog:ListAcceptedPortfolioShares",
        ),
        Permission(
            sid="AssociateRoles",
            actions=[
                "servicecatalog:AssociatePrincipalWithPortfolio",
                "servicecatalog:DisassociatePrincipalFromPortfolio",
            ],
            resources=[Arns(spec).of("catalog", "portfolio/*", account="*")],
            because="AWS's portfolio has an id and an account that nobody knows before it is shared",
        ),
    ]


def use(spec: TeamEnvironment) -> list[Permission]:
    """Find templates, make projects of them, end one's own."""
    arns = Arns(spec)
    products = [arns.of("catalog", "product/*", account="*")]
    because = "the templates are AWS's products; only those of an associated portfolio are in reach"
    return [
        _unscoped("FindTemplates", "sagemaker:ListProjects", "servicecatalog:SearchProducts"),
        Permission(
            sid="OwnProjects",
            actions=["sagemaker:CreateProject", "sagemaker:DeleteProject", "sagemaker:DescribeProject"],
            resources=[arns.of("sagemaker", "project/{}-*")],
            because="projects are named when they are made; their names begin with the environment's",
        ),
        Permission(
            sid="UseTemplates",
            actions=[
                "servicecatalog:DescribeProduct",
                "servicecatalog:ListLaunchPaths",
                "servicecatalog:ListProvisioningArtifacts",
                "servicecatalog:ProvisionProduct",
            ],
            resources=products,
            because=because,
        ),
        Permission(
            sid="EndOwnProjects",
            actions=["servicecatalog:TerminateProvisionedProduct"],
            resources=products,
            conditions={"StringEquals": {"servicecatalog:userLevel": "self"}},
            because=because,
        ),
    ]


def _unscoped(sid: str, *actions: str) -> Permission:
    because = "; ".join(sorted({UNSCOPED[action] for action in actions}))
    return Permission(sid=sid, actions=actions, resources=["*"], because=because)
