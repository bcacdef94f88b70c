"""What may train a model: a script in a managed framework, an algorithm of AWS, an image, JumpStart."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from atelier.spec.base import (
    HUB_MODEL,
    HUB_VERSION,
    IMAGE_DIGEST,
    IMAGE_TAG,
    IMAGE_URI,
    PROFILE_NAME,
    S3_URL,
    VARIABLE,
    Model,
    Name,
    Short,
)

PRETRAINED = "model"
"""The channel on which fine-tuning gets the pretrained model."""

S3Url = Annotated[str, Field(pattern=S3_URL.pattern, max_length=1024, examples=[S3_URL.example])]
VariableName = Annotated[str, Field(pattern=VARIABLE.pattern, max_length=1024)]
ImageUri = Annotated[str, Field(pattern=IMAGE_URI.pattern, max_length=255, examples=[IMAGE_URI.example])]


class Framework(Short):
    """A managed framework container: the training and inference images of this version are used.

    The name alone, `framework: sklearn`, is short for `{name: sklearn}`.
    """

    name: Literal["sklearn", "pytorch", "tensorflow", "huggingface", "xgboost", "mxnet"] = Field(
        examples=["sklearn"]
    )
    """Which framework."""
    version: str | None = None
    """The newest version, when omitted. In quotes: 2.10 is the number 2.1."""


class Algorithm(Short):
    """An algorithm that AWS has built in: its image trains and serves, there is no script.

    The name alone, `algorithm: blazingtext`, is short for `{name: blazingtext}`.
    """

    name: Literal["blazingtext", "xgboost"] = Field(examples=["blazingtext"])
    """Which algorithm."""
    version: str | None = None
    """The newest version, when omitted. In quotes: 2.10 is the number 2.1."""


class OwnImage(Short):
    """One of the team's own images, with executables `train` and `serve`; the name alone is short for it."""

    name: Name
    """One of the team's `images`."""
    tag: Annotated[str, Field(pattern=IMAGE_TAG.pattern, max_length=128)] = "latest"
    """Which version; a tag, once pushed, is that image for ever."""
    digest: Annotated[str, Field(pattern=IMAGE_DIGEST.pattern)] | None = None
    """The image itself, in place of a tag."""


class FineTuning(Model):
    """What a pretrained model's own training needs."""

    artifact: S3Url
    """The model as its training takes it: the channel `model`."""
    script: S3Url
    """The archive with its training script."""
    program: str = "transfer_learning.py"
    """The script within it."""
    image: ImageUri | None = None
    """The image that trains it; that of the framework, when omitted."""


class JumpStart(Model):
    """A pretrained model of SageMaker JumpStart: registered as it is, or fine-tuned on the job's channels.

    Its card in JumpStart, or `aws sagemaker describe-hub-content`, names the image and the addresses.
    """

    model: Annotated[str, Field(pattern=HUB_MODEL.pattern, max_length=200)] = Field(
        examples=[HUB_MODEL.example]
    )
    """Its id in the hub."""
    version: Annotated[str, Field(pattern=HUB_VERSION.pattern)] = Field(examples=[HUB_VERSION.example])
    """The version of the hub's entry."""
    hub: Annotated[str, Field(pattern=PROFILE_NAME.pattern, max_length=63)] | None = None
    """A private hub of this account that gives access to it; AWS's public hub, when omitted."""
    accept_licence: bool | None = None
    """Whether the model's licence (EULA) is accepted; needed by those that have one."""
    artifact: S3Url
    """The model as it is served: an archive, or a prefix that ends in a slash."""
    framework: Framework | None = None
    """The managed framework whose images train and serve it."""
    image: ImageUri | None = None
    """The image that serves it, in place of a framework's."""
    environment: Annotated[
        dict[VariableName, Annotated[str, Field(max_length=1024)]], Field(max_length=16)
    ] = {}
    """What the serving container is told, as environment variables."""
    training: FineTuning | None = None
    """How it is fine-tuned; it is registered as it is, when omitted."""

    @property
    def addresses(self) -> list[str]:
        """Everything of it that is fetched from S3."""
        training = [self.training.artifact, self.training.script] if self.training else []
        return [*([] if self.training else [self.artifact]), *training]
