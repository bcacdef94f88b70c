"""AWS CodeBuild: projects are kept, and no build is run, for which a container engine would be needed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from moto.core.utils import get_service_model

from localaws.service import AwsError, Call, Handler, Params, Refusal, Result, Service, operation


class CodeBuild(Service):
    """The build projects of all accounts and regions."""

    name = "codebuild"
    differences = (
        "StartBuild: not emulated, as it needs a container engine; images run here unbuilt, from their files",
    )

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self._projects: dict[tuple[Call, str], Params] = {}

    def operations(self) -> Iterator[tuple[str, Handler]]:
        """Every operation of the API; moto would pretend to build, so none is left to it."""
        ours = dict(super().operations())
        for name in get_service_model(self.name).operation_names:
            yield name, ours.get(name) or Refusal(f"codebuild: {name}")

    @operation("CreateProject")
    def create_project(self, call: Call, params: Params) -> Result:
        """Keep a project."""
        name = params["name"]
        if (call, name) in self._projects:
            message = f"Project already exists: {self._arn(call, name)}"
            raise AwsError("ResourceAlreadyExistsException", message)
        return self._kept(call, {**params, "created": datetime.now(UTC)})

    @operation("UpdateProject")
    def update_project(self, call: Call, params: Params) -> Result:
        """Change what is given of a project."""
        return self._kept(call, {**self._project(call, params["name"]), **params})

    @operation("DeleteProject")
    def delete_project(self, call: Call, params: Params) -> Result:
        """Forget a project; one that is not there is no error."""
        self._projects.pop((call, params["name"]), None)
        return {}

    @operation("BatchGetProjects")
    def batch_get_projects(self, call: Call, params: Params) -> Result:
        """Those of the names that there are."""
        found = [name for name in params["names"] if (call, name) in self._projects]
        missing = [name for name in params["names"] if name not in found]
        return {"projects": [self._projects[call, name] for name in found], "projectsNotFound": missing}

    @operation("ListProjects")
    def list_projects(self, call: Call, _params: Params) -> Result:
        """The names of all."""
        return {"projects": sorted(name for place, name in self._projects if place == call)}

    def _kept(self, call: Call, project: Params) -> Result:
        name = project["name"]
        kept = {**project, "arn": self._arn(call, name), "lastModified": datetime.now(UTC)}
        self._projects[call, name] = kept
        return {"project": kept}

    def _project(self, call: Call, name: str) -> Params:
        if (call, name) not in self._projects:
            message = f"Project cannot be found: {self._arn(call, name)}"
            raise AwsError("ResourceNotFoundException", message)
        return self._projects[call, name]

    @staticmethod
    def _arn(call: Call, name: str) -> str:
        return f"arn:aws:codebuild:{call.region}:{call.account}:project/{name}"
