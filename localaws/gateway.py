"""The one door: every AWS request goes through it to the service that answers it, or to moto."""

from __future__ import annotations

import logging
import re
import threading
import uuid
from collections.abc import Iterable
from contextlib import nullcontext
from io import BytesIO
from typing import Any

from botocore.exceptions import ParamValidationError
from botocore.validate import ParamValidator
from moto.core.errors import COMMON_ERROR_CODES
from moto.core.exceptions import ServiceException
from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from moto.iam.models import get_account_id_from
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.wrappers import Response

from localaws.service import AwsError, Call, Handler, NotEmulated, Service

log = logging.getLogger("localaws.gateway")

_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
# moto's serializer warns of codes that no service model holds, as ours is by intent.
COMMON_ERROR_CODES.append(NotEmulated.__name__)
# Clients sign some services with a name that is not the one of botocore's model.
_SIGNING_NAMES = {
    "elasticfilesystem": "efs",
    "monitoring": "cloudwatch",
    "servicequotas": "service-quotas",
    "states": "stepfunctions",
}


class Gateway:
    """A WSGI application over the services of this package, with moto's own behind it."""

    def __init__(self, services: Iterable[Service]) -> None:
        self._handlers: dict[tuple[str, str], Handler] = {
            (service.name, name): handler for service in services for name, handler in service.operations()
        }
        self._services = {service for service, _ in self._handlers}
        self._moto = DomainDispatcherApplication(create_backend_app)
        # Moto looks for a role by going through all of them, which fails while another request makes one.
        self._one_by_one = {"iam": threading.Lock()}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answer one request (WSGI)."""
        request = Request(environ)
        identity = _CREDENTIAL.search(request.headers.get("Authorization", ""))
        if identity is None:
            return self._moto(environ, start_response)
        access_key, region, signing_name = identity.groups()
        account = access_key if re.fullmatch(r"\d{12}", access_key) else get_account_id_from(access_key)
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = account

        for service in self._candidates(signing_name):
            model = get_service_model(service)
            found = _operation_of(model, request)
            if found is None:
                continue
            handler = self._handlers.get((service, found[0].name))
            if handler is not None:
                response = _answer(handler, Call(account, region), model, *found, request)
                return response(environ, start_response)
        return self._ask_moto(environ, start_response, signing_name)

    def _candidates(self, signing_name: str) -> list[str]:
        """The services of ours that a request signed for `signing_name` may be meant for."""
        service = _SIGNING_NAMES.get(signing_name, signing_name)
        names = [service, "sagemaker-runtime"] if service == "sagemaker" else [service]
        return [name for name in names if name in self._services]

    def _ask_moto(self, environ: dict[str, Any], start_response: Any, service: str) -> Any:
        try:
            with self._one_by_one.get(service, nullcontext()):
                return self._moto(environ, start_response)
        except NotImplementedError as error:
            log.warning("not emulated: %s: %s", service, error)
            operation = str(error).removeprefix("The ").removesuffix(" action has not been implemented")
            missing = NotEmulated(f"{service}: {operation}")
            body = f'{{"__type":"{missing.code}","message":"{missing.message}"}}'
            response = Response(body, status=501, content_type="application/x-amz-json-1.1")
            return response(environ, start_response)


def _operation_of(model: ServiceModel, request: Request) -> tuple[OperationModel, dict[str, Any]] | None:
    """The operation that `request` asks for, with the parameters in its path."""
    name = None
    target = request.headers.get("X-Amz-Target")
    if target:
        name = target.rsplit(".", 1)[-1]
    elif model.protocol in ("query", "ec2"):
        # Read once and put back: where the operation is not ours, moto reads it again.
        request.environ["wsgi.input"] = BytesIO(request.get_data())
        name = request.values.get("Action")
    if name is not None:
        return (model.operation_model(name), {}) if name in model.operation_names else None
    try:
        found, path_params = get_service_router(model.service_name).match(request)
    except (NotFound, MethodNotAllowed, NotImplementedError):
        return None
    return found, dict(path_params)


def _answer(
    handler: Handler,
    call: Call,
    model: ServiceModel,
    operation: OperationModel,
    path_params: dict[str, Any],
    request: Request,
) -> Response:
    """Parse and check the request, have it answered, write the answer: all by botocore's model."""
    protocol = determine_request_protocol(model, request.content_type)
    result: Any
    try:
        params = PROTOCOL_PARSERS[protocol](operation).parse(
            {
                "method": request.method,
                "values": request.values,
                "headers": request.headers,
                "body": request.data,
                "url_path": request.path,
                "url_params": path_params,
            }
        )
        _check(params, operation)
        result = handler(call, params) or {}
    except (AwsError, ServiceException) as error:  # ours, and what moto raises where ours asks it in-process
        result = error
    except Exception as error:
        log.exception("%s.%s failed", model.service_name, operation.name)
        result = AwsError("InternalFailure", f"{type(error).__name__}: {error}", 500)
    serializer = get_serializer_class(model.service_name, protocol)(operation_model=operation)
    answer = serializer.serialize(result)
    status = _status(operation, result) or answer["status_code"]
    headers = {**answer["headers"], "x-amzn-RequestId": str(uuid.uuid4())}
    if content_type := _member(operation, result, "header", "Content-Type"):
        headers["Content-Type"] = content_type
    return Response(answer["body"], status=status, headers=headers)


def _status(operation: OperationModel, result: Any) -> int | None:
    """The HTTP status that the error or (as in Lambda's Invoke) a member of the result names, if any."""
    if isinstance(result, AwsError):
        return result.status_code
    status: int | None = _member(operation, result, "statusCode")
    return status


def _member(operation: OperationModel, result: Any, location: str, name: str | None = None) -> Any:
    """The member of a result for a place that moto's serializer does not know, or writes over."""
    if isinstance(result, Exception) or operation.output_shape is None:
        return None
    for key, shape in operation.output_shape.members.items():
        if shape.serialization.get("location") == location and shape.serialization.get("name", name) == name:
            return result.get(key)
    return None


def _check(params: dict[str, Any], operation: OperationModel) -> None:
    """Refuse what botocore itself would: missing, mistyped or out-of-range parameters."""
    if operation.input_shape is None:
        return
    try:
        report = ParamValidator().validate(params, operation.input_shape)
    except ParamValidationError as error:
        raise AwsError("ValidationException", str(error)) from error
    if report.has_errors():
        raise AwsError("ValidationException", report.generate_report())
