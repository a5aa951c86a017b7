"""The user's end of the read API: with their kubeconfig, over a forwarded port, to the operator that is known."""

from __future__ import annotations

import asyncio
import http.client
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio.client import ApiException, AuthenticationV1TokenRequest, CoreV1Api, V1TokenRequestSpec
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration
from pydantic import BaseModel, ValidationError

from usher.core.errors import scrub
from usher.kube.access import TIMEOUT, Access, VerbError, configuration_of, unreachable
from usher.kube.readapi.forwarding import forward
from usher.kube.readapi.names import AUDIENCE, CA, LARGEST, POD, PORT, Place, path_of
from usher.kube.readapi.params import Params
from usher.kube.readapi.refusals import Problem

TOKEN_LIFE: Final = 600
"""Seconds for which a token holds that is asked for: the least that there is."""
_LONGEST: Final = 60.0
A = TypeVar("A", bound=BaseModel)
_SPARE: Final = 1024 * 1024
"""One line may be longer than a whole answer should be."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Whom to ask, and as whom: `place` is the notice of the operator, `service_account` None for the user himself."""

    access: Access
    place: Place
    service_account: str | None = None


@dataclass(frozen=True, slots=True)
class Visitor:
    """Knows the way, and who the operator is. `namespace` is the one that is meant by a name alone."""

    configuration: Configuration
    namespace: str
    place: Place
    pod: str
    port: int
    trust: ssl.SSLContext
    token: str

    async def ask(self, connector: tuple[str, str], params: Params) -> bytes:
        """The answer to one question about (namespace, name). Raises VerbError."""
        query = params.query()
        path = path_of(*connector, params.question) + (f"?{urlencode(query)}" if query else "")
        async with forward(self.configuration, self.place.namespace, self.pod, self.port) as (way, told):
            try:
                status, body = await asyncio.to_thread(self._get, way, path)
            except ssl.SSLCertVerificationError as error:
                message = (
                    f"what answers is not the operator that ConfigMap/{self.place.name} in namespace "
                    f"{self.place.namespace} tells of ({error.verify_message}): it may have started anew, ask again"
                )
                raise VerbError(message, reason="CertificateUnknown") from error
            except (OSError, http.client.HTTPException) as error:
                why = told.problem or type(error).__name__
                message = f"the operator's read API does not answer ({why}): look at the Pod {self.pod}"
                raise VerbError(message, reason="OperatorUnreachable") from error
        if status != http.client.OK:
            raise _refusal(status, body)
        return body

    def _get(self, way: socket.socket, path: str) -> tuple[int, bytes]:
        """The token goes to nobody before the certificate was seen."""
        way.settimeout(_LONGEST)
        with self.trust.wrap_socket(way, server_hostname=self.place.host) as secured:
            connection = http.client.HTTPConnection(self.place.host)
            connection.sock = secured
            connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
            answer = connection.getresponse()
            body = answer.read(LARGEST + _SPARE)
            return answer.status, body


@dataclass(frozen=True, slots=True)
class Asking:
    """One user, and one connector: (namespace, name)."""

    visitor: Visitor
    connector: tuple[str, str]

    async def ask(self, params: Params, form: type[A]) -> A:
        """One answer. Raises VerbError."""
        body = await self.visitor.ask(self.connector, params)
        try:
            return form.model_validate_json(body)
        except ValidationError as error:
            message = "the operator answers in a form that this usher does not know: use the version that runs there"
            raise VerbError(message, reason="AnswerUnknown") from error


async def find_way(where: Visit) -> Visitor:
    """Raises VerbError that says what is missing."""
    configuration, namespace = await configuration_of(where.access)
    place = where.place
    try:
        async with ApiClient(configuration) as client:
            api = CoreV1Api(client)
            notice = await _read_notice(api, place)
            token = await _token(configuration, api, where, namespace)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise unreachable(configuration, error) from error
    try:
        trust = ssl.create_default_context(cadata=notice[CA])
        return Visitor(configuration, namespace, place, notice[POD], int(notice[PORT]), trust, token)
    except (KeyError, ValueError, ssl.SSLError) as error:
        message = f"ConfigMap/{place.name} in namespace {place.namespace} does not tell yet how the read API is reached"
        raise VerbError(f"{message}: is the operator running, with a read API?", reason="NotServed") from error


async def _read_notice(api: CoreV1Api, place: Place) -> Mapping[str, str]:
    what = f"ConfigMap/{place.name} in namespace {place.namespace}"
    try:
        found: Any = await api.read_namespaced_config_map(place.name, place.namespace, _request_timeout=TIMEOUT)
    except ApiException as error:
        match error.status:
            case 401:
                message = "the API server refuses the kubeconfig's credentials (401)"
            case 403:
                message = f"you may not get {what}, which tells how the operator's read API is reached (403)"
            case 404:
                message = f"there is no {what}, which tells how the read API is reached: name another with --read-api"
            case status:
                message = f"{what} can't be read: the API server answers with status {status}"
        raise VerbError(message, reason="NotServed") from error
    data: Mapping[str, str] | None = found.data
    return data or {}


async def _token(configuration: Configuration, api: CoreV1Api, where: Visit, namespace: str) -> str:
    if where.service_account is None:
        header = await configuration.get_api_key_with_prefix("BearerToken")
        scheme, _, token = str(header or "").partition(" ")
        if scheme != "Bearer" or not token:
            message = (
                "the kubeconfig has no token that the operator could have reviewed, only a certificate, say: ask as a"
                " service account that may read the connector, --as-service-account [NAMESPACE/]NAME"
            )
            raise VerbError(message, reason="NoToken")
        return token
    home, _, name = where.service_account.rpartition("/")
    spec = V1TokenRequestSpec(audiences=[AUDIENCE], expiration_seconds=TOKEN_LIFE)
    try:
        made: Any = await api.create_namespaced_service_account_token(
            name, home or namespace, AuthenticationV1TokenRequest(spec=spec), _request_timeout=TIMEOUT
        )
    except ApiException as error:
        what = f"ServiceAccount/{name} in namespace {home or namespace}"
        may_not = f"you may not create a token of {what}: that takes create on serviceaccounts/token (403)"
        message = may_not if error.status == 403 else f"no token of {what}: the API server answers {error.status}"
        raise VerbError(message, reason="NoToken") from error
    token = made.status.token
    return str(token)


def _refusal(status: int, body: bytes) -> VerbError:
    try:
        problem = Problem.model_validate_json(body)
    except ValidationError:
        return VerbError(f"the operator's read API answers with status {status}", reason="OperatorUnreachable")
    message = scrub(problem.message)
    if status == 401:
        message = "the cluster does not know your token (401): is it expired? The operator asks the API server"
    return VerbError(message, reason=scrub(problem.reason))
