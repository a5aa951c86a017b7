"""The SCIM session fulfils the contract against scim2-server, a strict server that nobody here wrote."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Final
from urllib.parse import quote

import httpx
import pytest

from usher.contracts.runtime import SecretRef
from usher.contracts.target import TargetOpener
from usher.core.model.resources import Json, TargetId
from usher.targets.scim.session import open_scim
from usher.targets.scim.settings import ScimSettings
from usher.testing.clock import fake_runtime
from usher.testing.contract import AppUnderTest, TargetContract
from usher.testing.memory_secrets import MemorySecrets
from usher.transport.addresses import AddressPolicy

TOKEN: Final = "let-me-in"
AUTHORIZED: Final = {"Authorization": f"Bearer {TOKEN}"}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def wait_until_it_answers(url: str) -> None:
    for _ in range(200):
        try:
            httpx.get(f"{url}/Users", headers=AUTHORIZED, trust_env=False).raise_for_status()
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("scim2-server does not answer within ten seconds")


@pytest.fixture(scope="module")
def scim2_url() -> Iterator[str]:
    port = free_port()
    program = Path(sys.executable).with_name("scim2-server")
    command = (program, "--port", str(port), "--bearer-token", TOKEN)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until_it_answers(f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def opener(url: str, token: str) -> TargetOpener:
    secret = SecretRef("Secret", "app", "token")
    policy = AddressPolicy(networks=(ip_network("127.0.0.0/8"),))
    return lambda: open_scim(ScimSettings(url, secret), MemorySecrets({secret: token}), fake_runtime(), policy)


class TestScimSessionWithScim2Server(TargetContract):
    @pytest.fixture
    def app(self, scim2_url: str) -> AppUnderTest:
        async def document(target_id: TargetId) -> Mapping[str, Json] | None:
            async with httpx.AsyncClient(trust_env=False, headers=AUTHORIZED) as client:
                answer = await client.get(f"{scim2_url}/Users/{quote(target_id, safe='')}")
            if answer.status_code == 404:
                return None
            held: dict[str, Json] = answer.raise_for_status().json()
            return held

        return AppUnderTest(opener(scim2_url, TOKEN), opener(scim2_url, "wrong"), document)
