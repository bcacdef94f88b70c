"""One operation of one AWS service: its request, its result, the names of its errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.loaders import Loader
from moto.core.utils import get_service_model

from localaws.stepfunctions.errors import RUNTIME, StateError
from localaws.stepfunctions.jsontext import dumps
from localaws.stepfunctions.tasks.shapes import epoch_milliseconds, iso, pascal, to_request, to_result
from localaws.stepfunctions.tasks.task import UnknownResource

# Where the service's name in a Resource (its service id in lower case) is not boto3's without hyphens.
_BOTO_NAMES = {
    "applicationdiscoveryservice": "discovery",
    "cloudwatchlogs": "logs",
    "cognitoidentityprovider": "cognito-idp",
    "configservice": "config",
    "costandusagereportservice": "cur",
    "costexplorer": "ce",
    "databasemigrationservice": "dms",
    "directoryservice": "ds",
    "elasticloadbalancing": "elb",
    "elasticloadbalancingv2": "elbv2",
    "elasticsearchservice": "es",
    "eventbridge": "events",
    "iotdataplane": "iot-data",
    "iotjobsdataplane": "iot-jobs-data",
    "lexmodelbuildingservice": "lex-models",
    "lexmodelsv2": "lexv2-models",
    "lexruntimeservice": "lex-runtime",
    "lexruntimev2": "lexv2-runtime",
    "marketplaceentitlementservice": "marketplace-entitlement",
    "marketplacemetering": "meteringmarketplace",
    "migrationhub": "mgh",
    "pinpointsmsvoice": "sms-voice",
    "serverlessapplicationrepository": "serverlessrepo",
    "sfn": "stepfunctions",
    "simpledb": "sdb",
}


@lru_cache(maxsize=1)
def _services() -> Mapping[str, str]:
    """boto3's services by the name that a Resource gives them."""
    own = {name.replace("-", ""): name for name in Loader().list_available_services("service-2")}
    hidden = set(_BOTO_NAMES.values())
    return {**{name: boto for name, boto in own.items() if boto not in hidden}, **_BOTO_NAMES}


@dataclass(frozen=True)
class Operation:
    """An AWS operation as a state machine calls it.

    `unmodelled` is the error name (without prefix) of an error that the service's model does not list.
    """

    service: str
    model: Any
    prefix: str
    unmodelled: str
    time_as: Callable[[datetime], Any]
    json_fields: Collection[str] = ()

    def request(self, arguments: Any) -> dict[str, Any]:
        """The parameters for boto3; States.Runtime when the arguments are no object."""
        if not isinstance(arguments, dict):
            raise StateError(
                RUNTIME, f"The arguments of {self.model.name} must be an object, but are {dumps(arguments)}"
            )
        return dict(to_request(self.model.input_shape, arguments, self.json_fields))

    def send(self, client: Any, request: Mapping[str, Any]) -> dict[str, Any]:
        """boto3's response; a failure becomes a `StateError` with the integration's error name."""
        try:
            return dict(getattr(client, xform_name(self.model.name))(**request))
        except ParamValidationError as error:
            given = dumps(_printable(request))
            cause = f"The Parameters '{given}' could not be used to start the Task: [{error}]"
            raise StateError(RUNTIME, cause) from error
        except ClientError as error:
            raise self._failure(error) from error
        except BotoCoreError as error:
            raise StateError(f"{self.prefix}.SdkClientException", str(error)) from error

    def result(self, response: Mapping[str, Any]) -> dict[str, Any]:
        """The JSON of a response, without boto3's own metadata."""
        return dict(to_result(self.model.output_shape, response, self.time_as))

    def _failure(self, error: ClientError) -> StateError:
        code = error.response["Error"]["Code"]
        about = error.response.get("ResponseMetadata", {})
        names = {_code_of(shape): shape.name for shape in self.model.service_model.error_shapes}
        name = _exception_name(names[code]) if code in names else self.unmodelled
        cause = (
            f"{error.response['Error']['Message']} (Service: {self.prefix}, Status Code: "
            f"{about.get('HTTPStatusCode')}, Error Code: {code}, Request ID: {about.get('RequestId')})"
        )
        return StateError(f"{self.prefix}.{name}", cause)


def _code_of(shape: Any) -> str:
    return str(shape.metadata.get("error", {}).get("code", shape.name))


def _exception_name(shape_name: str) -> str:
    """`ResourceInUse`, `ResourceInUseFault` and `ResourceInUseException` are all ResourceInUseException."""
    return pascal(re.sub(r"(Fault|Exception)$", "", shape_name)) + "Exception"


def _printable(request: Mapping[str, Any]) -> Any:
    return {key: str(value) if isinstance(value, bytes) else value for key, value in request.items()}


def _model_of(service: str, action: str) -> Any:
    """The model of an operation that a Resource names in camelCase."""
    model = get_service_model(service)
    name = pascal(action)
    if name not in model.operation_names or action != action[:1].lower() + action[1:]:
        raise UnknownResource(f"{service} has no API action {action!r}")
    return model.operation_model(name)


def sdk_operation(service_name: str, action: str) -> Operation:
    """The operation behind `aws-sdk:<service_name>:<action>`; UnknownResource when there is none."""
    service = _services().get(service_name)
    if service is None:
        raise UnknownResource(f"there is no AWS SDK integration for the service {service_name!r}")
    model = _model_of(service, action)
    words = str(model.service_model.service_id).replace("-", " ").split()
    # As the SDK for Java names its classes: runs of capitals keep only the first (DynamoDB, DynamoDb).
    prefix = "".join(
        re.sub(r"[A-Z]{2,}(?![a-z])", lambda run: run[0].capitalize(), pascal(word)) for word in words
    )
    return Operation(service, model, prefix, f"{prefix}Exception", iso)


def optimised_operation(
    service: str, action: str, prefix: str, unmodelled: str, json_fields: Collection[str]
) -> Operation:
    """The operation behind an optimised integration, whose times are milliseconds since 1970."""
    return Operation(service, _model_of(service, action), prefix, unmodelled, epoch_milliseconds, json_fields)
