"""What the operator shows to the outside: probes and logs; and what it reads from there: secrets."""

from __future__ import annotations

import io
import json
import logging
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from unit.kube.fake_cluster import NAMESPACE, FakeCluster
from usher.contracts.runtime import SecretRef
from usher.core.errors import CycleError, UsherError
from usher.core.model.reports import Counts, CycleKind, CycleReport, CycleResult
from usher.kube import health as module
from usher.kube.health import Health, serve_health
from usher.kube.logs import JsonFormatter, log_cycle, set_up_logs
from usher.kube.metrics import Metrics
from usher.kube.objects import Kind, ObjectKey
from usher.kube.secrets import NamespaceSecrets

TOKEN = SecretRef("Secret", "app", "token")


def ask(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.fixture
def served() -> Iterator[tuple[int, Health]]:
    health = Health()
    with serve_health(("127.0.0.1", 0), health, Metrics().registry) as port:
        yield port, health


def test_a_process_is_alive_at_once_and_ready_when_it_says_so(served: tuple[int, Health]) -> None:
    port, health = served
    assert (ask(port, "/healthz"), ask(port, "/readyz")) == (200, 503)

    health.ready = True

    assert (ask(port, "/readyz"), ask(port, "/metrics"), ask(port, "/other")) == (200, 200, 404)


def test_a_loop_that_hangs_is_told_while_it_hangs(served: tuple[int, Health], monkeypatch: pytest.MonkeyPatch) -> None:
    port, health = served
    health.ready = True

    monkeypatch.setattr(module, "STALLED_AFTER", 0.0)

    assert (ask(port, "/healthz"), ask(port, "/readyz")) == (503, 503)


def test_an_address_that_is_taken_is_told(served: tuple[int, Health]) -> None:
    with (
        pytest.raises(UsherError, match=f"can't listen on 127.0.0.1 port {served[0]}"),
        serve_health(("127.0.0.1", served[0]), Health(), Metrics().registry),
    ):
        pass


def test_a_line_of_the_log_tells_of_an_exception_only_its_type_and_place() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("test_edges")
    logger.propagate = False
    logger.addHandler(handler)

    try:
        int("alice@example.com")
    except ValueError:
        logger.exception("went wrong", extra={"fields": {"object": "identity/app"}})

    line = json.loads(stream.getvalue())
    assert (line["message"], line["object"], line["level"]) == ("went wrong", "identity/app", "error")
    assert line["exception"].startswith("ValueError at test_edges.py:")
    assert "alice" not in stream.getvalue()


def test_a_cycle_on_what_the_target_said_before_is_told_as_such(caplog: pytest.LogCaptureFixture) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    report = CycleReport(CycleKind.INCREMENTAL, CycleResult.SUCCEEDED, now, now, Counts())
    with caplog.at_level(logging.INFO):
        for stale in ("", "the target's /Schemas can't answer just now (status 500)"):
            log_cycle(ObjectKey(Kind.CONNECTOR, "identity", "app"), replace(report, stale=stale))

    first, second = (record.__dict__["fields"] for record in caplog.records)
    assert "discovery" not in first
    assert second["discovery"].endswith("(status 500); what the target said before stays in force")


def test_a_stop_that_meets_the_start_is_no_line_of_the_log() -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    former, level = root.handlers[:], root.level
    try:
        set_up_logs(stream=stream)
        logging.getLogger("kopf.activities.startup").warning("Activity 'start' is cancelled. Will escalate.")
        logging.getLogger("kopf._core.reactor.running").warning(
            "Startup activity is only partially executed due to cancellation."
        )
        logging.getLogger("kopf.activities.startup").warning("something else")
    finally:
        root.handlers[:] = former
        root.setLevel(level)

    assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == ["something else"]


async def test_every_read_of_a_secret_sees_it_as_it_is_then() -> None:
    cluster = FakeCluster()
    secrets = NamespaceSecrets(cluster, NAMESPACE, {})
    cluster.data["Secret", "app"] = {"token": b"old"}
    assert await secrets.read(TOKEN) == b"old"

    cluster.data["Secret", "app"] = {"token": b"new"}

    assert await secrets.read(TOKEN) == b"new"


async def test_what_is_missing_is_named_with_its_field_and_without_a_value() -> None:
    cluster = FakeCluster()
    secrets = NamespaceSecrets(cluster, NAMESPACE, {("app", "token"): "spec.auth.secretRef"})
    with pytest.raises(CycleError, match=r"spec\.auth\.secretRef: Secret/app in namespace identity does not") as lost:
        await secrets.read(TOKEN)
    cluster.data["Secret", "app"] = {"tokn": b"s3cret"}
    with pytest.raises(CycleError, match="no key token; its keys: tokn") as mistyped:
        await secrets.read(TOKEN)
    cluster.forbidden = True
    with pytest.raises(CycleError, match="grant its service account get on secrets") as forbidden:
        await secrets.read(TOKEN)

    assert [each.value.reason for each in (lost, mistyped, forbidden)] == [
        "SecretNotFound",
        "KeyNotFound",
        "AccessDenied",
    ]
    assert "s3cret" not in str(mistyped.value)
