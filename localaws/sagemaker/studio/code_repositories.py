"""Git repositories that notebook instances name."""

from __future__ import annotations

from localaws.sagemaker.records import Record, arn, listing, now
from localaws.sagemaker.studio.catalog import Catalog
from localaws.sagemaker.studio.lifecycle_configs import BY_NAME_AND_TIMES
from localaws.service import Call, Params, Result, Service, operation


class CodeRepositories(Service):
    """CreateCodeRepository and its kin."""

    name = "sagemaker"

    def __init__(self, catalog: Catalog) -> None:
        super().__init__(catalog.world)
        self._catalog = catalog

    def _get(self, call: Call, params: Params) -> Record:
        key = params["CodeRepositoryName"].lower()
        found: Record = self._catalog.code_repositories.get(call, key, arn(call, "code-repository", key))
        return found

    @operation("CreateCodeRepository")
    def create(self, call: Call, params: Params) -> Result:
        """Record a repository; nobody looks whether it is there, as on AWS."""
        key = params["CodeRepositoryName"].lower()
        made = Record(call, key, arn(call, "code-repository", key), params)
        self._catalog.code_repositories.add(made)
        return {"CodeRepositoryArn": made.arn}

    @operation("DescribeCodeRepository")
    def describe(self, call: Call, params: Params) -> Result:
        """The repository."""
        return _describe(self._get(call, params))

    @operation("ListCodeRepositories")
    def list(self, call: Call, params: Params) -> Result:
        """The repositories."""
        found = self._catalog.code_repositories.all(call)
        return listing(found, params, _describe, key="CodeRepositorySummaryList", orders=BY_NAME_AND_TIMES)

    @operation("UpdateCodeRepository")
    def update(self, call: Call, params: Params) -> Result:
        """Change the secret: URL and branch stay."""
        found = self._get(call, params)
        config = {**found.request["GitConfig"], **params.get("GitConfig", {})}
        found.request = {**found.request, "GitConfig": config}
        found.modified = now()
        return {"CodeRepositoryArn": found.arn}

    @operation("DeleteCodeRepository")
    def delete(self, call: Call, params: Params) -> Result:
        """Forget a repository; instances that name it go on without it, as on AWS."""
        self._catalog.code_repositories.remove(self._get(call, params))
        return None


def _describe(repository: Record) -> Params:
    return {
        "CodeRepositoryName": repository.request["CodeRepositoryName"],
        "CodeRepositoryArn": repository.arn,
        "CreationTime": repository.created,
        "LastModifiedTime": repository.modified,
        "GitConfig": repository.request["GitConfig"],
    }
