"""InvokeEndpoint: a request to a model, and its answer."""

from __future__ import annotations

from localaws.sagemaker.endpoints import Endpoint, Endpoints
from localaws.sagemaker.fleet import LOG_GROUP
from localaws.sagemaker.model_server import Unreachable
from localaws.sagemaker.usage import Invocations
from localaws.service import AwsError, Call, NotEmulated, Params, Result, Service, operation
from localaws.world import World

MOST_BYTES = 6_291_456
_OPTIONAL = {
    "ContentType": "Content-Type",
    "Accept": "Accept",
    "CustomAttributes": "X-Amzn-SageMaker-Custom-Attributes",
    "InferenceId": "X-Amzn-SageMaker-Inference-Id",
}
_UNKNOWN = (
    "TargetModel",
    "TargetContainerHostname",
    "EnableExplanations",
    "InferenceComponentName",
    "SessionId",
)
_FIRST_ERROR, _FIRST_SERVER_ERROR = 400, 500


class ModelError(AwsError):
    """The container answered with an error, or not at all."""

    def __init__(self, message: str, original_status: int, original_message: str, log_stream: str) -> None:
        super().__init__("ModelError", message, 424)
        # botocore's model names them so, and the answer is written by that model.
        self.OriginalStatusCode = original_status
        self.OriginalMessage = original_message
        self.LogStreamArn = log_stream


class SageMakerRuntime(Service):
    """The data plane: what a client of an endpoint calls."""

    name = "sagemaker-runtime"

    def __init__(self, world: World, endpoints: Endpoints) -> None:
        super().__init__(world)
        self._endpoints = endpoints
        self._invocations = Invocations(world)

    @operation("InvokeEndpoint")
    def invoke(self, call: Call, params: Params) -> Result:
        """Pass the body to a variant's server and its answer back."""
        for field in _UNKNOWN:
            if field in params:
                raise NotEmulated(f"InvokeEndpoint: {field}")
        body = params.get("Body") or b""
        if len(body) > MOST_BYTES:
            raise _refused(
                "1 validation error detected: Value at 'body' failed to satisfy constraint: Member must have "
                f"length less than or equal to {MOST_BYTES}"
            )
        name = params["EndpointName"]
        endpoint = self._endpoints.table.find(call, name)
        if endpoint is None:
            raise _refused(f"Endpoint {name} of account {call.account} not found.")
        return _invoke(endpoint, params, body, self._invocations)

    @operation("InvokeEndpointAsync")
    def invoke_async(self, _call: Call, _params: Params) -> Result:
        """Asynchronous endpoints cannot be created here."""
        raise NotEmulated("InvokeEndpointAsync")

    @operation("InvokeEndpointWithResponseStream")
    def invoke_stream(self, _call: Call, _params: Params) -> Result:
        """Streamed answers are not carried."""
        raise NotEmulated("InvokeEndpointWithResponseStream")


def _refused(message: str) -> AwsError:
    return AwsError("ValidationError", message)


def _invoke(endpoint: Endpoint, params: Params, body: bytes, invocations: Invocations) -> Result:
    headers = {header: params[key] for key, header in _OPTIONAL.items() if key in params}
    with endpoint.present_fleet() as fleet:
        if fleet is None:
            raise _refused(f"Endpoint {endpoint.name} of account {endpoint.call.account} not found.")
        variant = fleet.choose(params.get("TargetVariant"))
        if variant is None:
            raise _refused(f"Variant {params.get('TargetVariant')} of endpoint {endpoint.name} not found.")
        invocations.count(endpoint.call, endpoint.name, variant.name)
        try:
            answer = variant.server.invoke(body, headers)
        except Unreachable as error:
            message = (
                "Your invocation timed out while waiting for a response from container primary, or the "
                f"container is being started again ({error})."
            )
            raise _model_error(endpoint, 0, message) from error
    if answer.status >= _FIRST_ERROR:
        raise _model_error(endpoint, answer.status, answer.body.decode("utf-8", "replace"))
    optional = {"ContentType": answer.content_type, "CustomAttributes": answer.custom_attributes}
    return {
        "Body": answer.body,
        "InvokedProductionVariant": variant.name,
        **{key: value for key, value in optional.items() if value is not None},
    }


def _model_error(endpoint: Endpoint, status: int, message: str) -> ModelError:
    side = "client" if _FIRST_ERROR <= status < _FIRST_SERVER_ERROR else "server"
    region, account, group = endpoint.call.region, endpoint.call.account, LOG_GROUP + endpoint.name
    return ModelError(
        f'Received {side} error ({status}) from primary with message "{message}". See '
        f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logEventViewer:"
        f"group={group} in account {account} for more information.",
        status,
        message,
        f"arn:aws:logs:{region}:{account}:log-group:{group}",
    )
