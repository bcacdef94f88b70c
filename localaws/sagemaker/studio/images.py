"""Images of a team, for its Studio apps: names with versions, each of an image in ECR."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from localaws.sagemaker.records import arn, invalid, listing
from localaws.sagemaker.roles import check_role
from localaws.sagemaker.studio import rules
from localaws.sagemaker.studio.catalog import Catalog, Staged, in_use, refuse_busy, refuse_dependents
from localaws.service import AwsError, Call, Params, Result, Service, operation

_CREATING, _CREATED, _FAILED, _DELETING, _UPDATING = (
    "CREATING",
    "CREATED",
    "CREATE_FAILED",
    "DELETING",
    "UPDATING",
)
_TEXTS = ("Description", "DisplayName")
_FACTS = (
    "VendorGuidance",
    "JobType",
    "MLFramework",
    "ProgrammingLang",
    "Processor",
    "Horovod",
    "ReleaseNotes",
)
_ECR = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/([^:@]+)(?:@(.+)|:(.+))?")
_ORDERS = {
    "CREATION_TIME": lambda record: record.created,
    "LAST_MODIFIED_TIME": lambda record: record.modified,
}


@dataclass
class Image(Staged):
    """An image: the versions go with it."""

    latest: int = 0

    def describe(self) -> Params:
        """As ListImages shows it; DescribeImage adds the role."""
        times = self.times()
        status = times.pop("Status")
        texts = {key: self.request[key] for key in _TEXTS if key in self.request}
        return {**times, **texts, "ImageStatus": status, "ImageArn": self.arn, "ImageName": self.label}


@dataclass
class Version(Staged):
    """A version of an image."""

    image: Image | None = None
    number: int = 0
    aliases: list[str] = field(default_factory=list)
    container: str | None = None

    def describe(self) -> Params:
        """As ListImageVersions shows it; DescribeImageVersion adds the rest."""
        times = self.times()
        status = times.pop("Status")
        return {
            **times,
            "ImageVersionStatus": status,
            "ImageVersionArn": self.arn,
            "ImageArn": self.image.arn if self.image is not None else "",
            "Version": self.number,
        }


class Images(Service):
    """CreateImage, CreateImageVersion and their kin."""

    name = "sagemaker"

    def __init__(self, catalog: Catalog) -> None:
        super().__init__(catalog.world)
        self._catalog = catalog
        self._tokens: dict[tuple[Call, str, str], str] = {}

    def _get(self, call: Call, params: Params) -> Image:
        name = params["ImageName"]
        found: Image | None = self._catalog.images.find(call, name.lower())
        if found is None:
            raise AwsError("ResourceNotFound", f"No Image with the name {name} exists.")
        return found

    def _versions(self, image: Image) -> list[Version]:
        return [found for found in self._catalog.image_versions.all(image.call) if found.image is image]

    def _version(self, call: Call, params: Params) -> Version:
        """The version of that number or alias, or the latest."""
        image = self._get(call, params)
        wanted, alias = params.get("Version"), params.get("Alias")
        found = [
            version
            for version in self._versions(image)
            if wanted in (None, version.number) and (alias is None or alias in version.aliases)
        ]
        if not found:
            what = alias if wanted is None else wanted
            raise AwsError("ResourceNotFound", f"ImageVersion [{image.label}/{what}] does not exist.")
        return found[-1]

    @operation("CreateImage")
    def create(self, call: Call, params: Params) -> Result:
        """Record an image without versions."""
        check_role(self.world, call, params["RoleArn"])
        key = params["ImageName"].lower()
        place = arn(call, "image", key)
        image = Image(call, key, place, params, label=params["ImageName"], status=_CREATING)
        self._catalog.images.add(image)
        self._catalog.settle(image, self._catalog.takes.image, _CREATED)
        return {"ImageArn": image.arn}

    @operation("DescribeImage")
    def describe(self, call: Call, params: Params) -> Result:
        """The image in full."""
        image = self._get(call, params)
        return {**image.describe(), "RoleArn": image.request["RoleArn"]}

    @operation("ListImages")
    def list(self, call: Call, params: Params) -> Result:
        """The images."""
        orders = {**_ORDERS, "IMAGE_NAME": lambda record: record.name}
        return listing(self._catalog.images.all(call), params, Image.describe, key="Images", orders=orders)

    @operation("UpdateImage")
    def update(self, call: Call, params: Params) -> Result:
        """Change the texts and the role."""
        image = self._get(call, params)
        if "RoleArn" in params:
            check_role(self.world, call, params["RoleArn"])
        with self._catalog.lock:
            refuse_busy("Image", image, _CREATED, "UPDATE_FAILED")
            dropped = params.get("DeleteProperties", [])
            kept = {key: value for key, value in image.request.items() if key not in dropped}
            changes = {key: params[key] for key in (*_TEXTS, "RoleArn") if key in params}
            image.request = {**kept, **changes}
            image.enter(_UPDATING)
        self._catalog.settle(image, self._catalog.takes.image, _CREATED)
        return {"ImageArn": image.arn}

    @operation("DeleteImage")
    def delete(self, call: Call, params: Params) -> Result:
        """Delete an image with its versions, unless settings attach it to a domain or an app runs it."""
        with self._catalog.lock:
            image = self._get(call, params)
            refuse_busy("Image", image, _CREATED, _FAILED, "UPDATE_FAILED", "DELETE_FAILED")
            for name in (image.label, image.arn):
                users = rules.users_of(self._catalog, call, name)
                refuse_dependents("delete", f"Image [{image.arn}]", users)
            image.enter(_DELETING)
        self._catalog.later(self._catalog.takes.image, self._forget, image)
        return {}

    def _forget(self, image: Image) -> None:
        for version in self._versions(image):
            self._catalog.image_versions.remove(version)
        self._catalog.images.remove(image)

    @operation("CreateImageVersion")
    def create_version(self, call: Call, params: Params) -> Result:
        """Make the next version; it fails where ECR has no such image."""
        token = (call, params["ImageName"].lower(), params["ClientToken"])
        if token in self._tokens:
            return {"ImageVersionArn": self._tokens[token]}
        with self._catalog.lock:
            image = self._get(call, params)
            refuse_busy("Image", image, _CREATED)
            image.latest += 1
            key = f"{image.name}/{image.latest}"
            version = Version(
                call,
                key,
                arn(call, "image-version", key),
                params,
                status=_CREATING,
                image=image,
                number=image.latest,
            )
            self._alias(version, params.get("Aliases", []))
            self._catalog.image_versions.add(version)
            self._tokens[token] = version.arn
        self._catalog.later(self._catalog.takes.image, self._finish, version)
        return {"ImageVersionArn": version.arn}

    def _finish(self, version: Version) -> None:
        try:
            version.container = self._container(version)
        except (ClientError, AwsError) as error:
            version.enter(_FAILED, f"{version.request['BaseImage']}: {error}")
        else:
            version.enter(_CREATED)

    def _container(self, version: Version) -> str:
        """The image in ECR, by its digest."""
        base = version.request["BaseImage"]
        match = _ECR.fullmatch(base)
        if match is None:
            raise invalid("BaseImage must be the URI of an image in Amazon ECR.")
        account, region, repository, digest, tag = match.groups()
        wanted = {"imageDigest": digest} if digest else {"imageTag": tag or "latest"}
        ecr = self.world.client("ecr", account, region)
        found = ecr.describe_images(repositoryName=repository, imageIds=[wanted])["imageDetails"][0]
        return f"{base.partition('@')[0].rpartition(':')[0] or base}@{found['imageDigest']}"

    def _alias(self, version: Version, names: Any) -> None:
        """Give a version these aliases; each names one version of the image."""
        for other in self._versions(version.image) if version.image is not None else ():
            other.aliases = [name for name in other.aliases if name not in names]
        version.aliases = [*version.aliases, *names]

    @operation("DescribeImageVersion")
    def describe_version(self, call: Call, params: Params) -> Result:
        """The version in full."""
        version = self._version(call, params)
        facts = {key: version.request[key] for key in ("BaseImage", *_FACTS) if key in version.request}
        container = {"ContainerImage": version.container} if version.container else {}
        return {**version.describe(), **facts, **container}

    @operation("ListImageVersions")
    def list_versions(self, call: Call, params: Params) -> Result:
        """The versions of an image."""
        orders = {**_ORDERS, "VERSION": lambda version: version.number}
        found = self._versions(self._get(call, params))
        return listing(found, params, Version.describe, key="ImageVersions", orders=orders)

    @operation("ListAliases")
    def list_aliases(self, call: Call, params: Params) -> Result:
        """The aliases of an image, or of one version."""
        image = self._get(call, params)
        named = "Version" in params or "Alias" in params
        found = [self._version(call, params)] if named else self._versions(image)
        aliases = [alias for version in found for alias in version.aliases]
        return {"SageMakerImageVersionAliases": aliases}

    @operation("UpdateImageVersion")
    def update_version(self, call: Call, params: Params) -> Result:
        """Change what is told of a version, and its aliases."""
        version = self._version(call, params)
        with self._catalog.lock:
            dropped = params.get("AliasesToDelete", [])
            version.aliases = [alias for alias in version.aliases if alias not in dropped]
            self._alias(version, params.get("AliasesToAdd", []))
            changes = {key: params[key] for key in _FACTS if key in params}
            version.request = {**version.request, **changes}
            version.enter(version.status)
        return {"ImageVersionArn": version.arn}

    @operation("DeleteImageVersion")
    def delete_version(self, call: Call, params: Params) -> Result:
        """Delete a version that no app runs."""
        with self._catalog.lock:
            version = self._version(call, params)
            refuse_busy("ImageVersion", version, _CREATED, _FAILED, "DELETE_FAILED")
            if any(users for _, users in rules.users_of(self._catalog, call, version.arn)):
                raise in_use(f"Unable to delete ImageVersion [{version.arn}] because it is in use.")
            version.enter(_DELETING)
        self._catalog.later(self._catalog.takes.image, self._catalog.image_versions.remove, version)
        return {}
