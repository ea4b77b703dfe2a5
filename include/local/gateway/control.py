"""Settings over HTTP for whoever tests against the local stack: ``/_local/<service>/…``."""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from include.local.gateway.errors import AwsError
from include.local.gateway.http import Environ, HttpResponse, read_body

Method = Callable[[Mapping[str, Any]], Any]


class ControlInterface:
    """Answers control calls: GET tells, PUT sets, DELETE takes back.

    :param path: what the paths of all its resources begin with, such as ``/_local/emr/``.
    :param resources: function by HTTP method, by name of the resource. It gets the members of the
        query and of the JSON body, and returns what the caller is told.
    """

    def __init__(self, path: str, resources: Mapping[str, Mapping[str, Method]]) -> None:
        self.path = path
        self._resources = resources

    def respond(self, environ: Environ) -> HttpResponse:
        """Answer a control call.

        :param environ: the request.
        :returns: the present state of what it is about, or an error with a message.
        """
        try:
            status, body = HTTPStatus.OK, self._carry_out(environ)
        except AwsError as error:
            status, body = HTTPStatus(error.status), {"error": error.message}
        headers = [("Content-Type", "application/json")]
        return HttpResponse(int(status), json.dumps(body).encode(), headers)

    def _carry_out(self, environ: Environ) -> Any:
        name = environ["PATH_INFO"].removeprefix(self.path)
        methods = self._resources.get(name)
        if methods is None:
            message = f"There is no {self.path}{name}; choose from {', '.join(self._resources)}"
            raise AwsError("NotFound", message, HTTPStatus.NOT_FOUND)
        method = methods.get(environ["REQUEST_METHOD"])
        if method is None:
            message = f"{self.path}{name} takes {', '.join(methods)}"
            raise AwsError("MethodNotAllowed", message, HTTPStatus.METHOD_NOT_ALLOWED)
        given: dict[str, Any] = dict(parse_qsl(environ.get("QUERY_STRING", "")))
        body = read_body(environ)
        if body:
            try:
                given.update(json.loads(body))
            except (ValueError, TypeError) as error:
                message = f"The body is no JSON object: {error}"
                raise AwsError("InvalidControlCall", message) from error
        return method(given)
