"""What is counted. Labels name Kubernetes objects, never people; the series of an object go with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from functools import partial
from importlib.metadata import version
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from usher.api.conditions import Condition
from usher.core.model.reports import Counts, CycleReport
from usher.kube.objects import Kind, ObjectKey
from usher.kube.workqueue import WorkQueue

DISTRIBUTION: Final = "usher-provisioning"
_CONNECTOR: Final = ("namespace", "connector")
_BUCKETS: Final = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14400, 43200)


class Metrics:
    """The metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        here = self.registry
        self._cycles = Counter(
            "provisioning_cycles", "Cycles that ended.", (*_CONNECTOR, "type", "result"), registry=here
        )
        self._duration = Histogram(
            "provisioning_cycle_duration_seconds", "Duration of a cycle.", ("type",), buckets=_BUCKETS, registry=here
        )
        self._objects = Counter(
            "provisioning_objects", "What was done.", (*_CONNECTOR, "resource", "action"), registry=here
        )
        self._linked = Gauge("provisioning_links", "People with a linked account.", _CONNECTOR, registry=here)
        self._pending = Gauge("provisioning_pending", "Resources with something undone.", _CONNECTOR, registry=here)
        self._success = Gauge(
            "provisioning_last_success_timestamp_seconds", "End of the last good cycle.", _CONNECTOR, registry=here
        )
        self._next = Gauge(
            "provisioning_next_cycle_timestamp_seconds", "When the next cycle is due.", _CONNECTOR, registry=here
        )
        self._reads = Counter(
            "provisioning_source_reads", "Reads that ended.", ("namespace", "source", "result"), registry=here
        )
        self._condition = Gauge(
            "provisioning_condition", "1 for the status in force.", ("kind", "namespace", "name", "type", "status"),
            registry=here,
        )  # fmt: skip
        self.lag = Gauge("provisioning_event_loop_lag_seconds", "How late the event loop was last.", registry=here)
        self.errors = Counter(
            "provisioning_reconcile_errors", "Reconciles that failed, by reason.", ("reason",), registry=here
        )
        self.questions = Counter(
            "provisioning_read_api_requests", "Requests to the read API.", ("question", "status"), registry=here
        )
        build = Gauge("provisioning_build_info", "Constant 1.", ("version",), registry=here)
        build.labels(version(DISTRIBUTION)).set(1)

    def show(self, queue: WorkQueue, last_event: Mapping[Kind, datetime]) -> None:
        """Shows the queue, and when each kind was last heard of, from now on."""
        depth = Gauge("provisioning_queue_depth", "Keys that wait.", registry=self.registry)
        depth.set_function(lambda: queue.depth)
        oldest = Gauge("provisioning_queue_oldest_seconds", "How long the oldest key waits.", registry=self.registry)
        oldest.set_function(lambda: queue.oldest)
        heard = Gauge(
            "provisioning_watch_last_event_timestamp_seconds",
            "Last event of a kind.",
            ("kind",),
            registry=self.registry,
        )
        for kind in Kind:
            heard.labels(kind.value).set_function(partial(_timestamp, last_event, kind))

    def cycle_ended(self, key: ObjectKey, report: CycleReport) -> None:
        """Counts a cycle of the connector's own."""
        labels = (key.namespace, key.name)
        self._cycles.labels(*labels, report.kind.value, report.result.value).inc()
        self._duration.labels(report.kind.value).observe((report.completed - report.started).total_seconds())
        if report.error_reason:
            return
        self.changed(key, report)
        self._linked.labels(*labels).set(report.linked)
        self._pending.labels(*labels).set(report.pending)
        self._success.labels(*labels).set(report.completed.timestamp())

    def changed(self, key: ObjectKey, report: CycleReport) -> None:
        """Counts what was done."""
        for resource, counts in (("user", report.counts), ("group", report.groups or Counts())):
            for action, count in asdict(counts).items():
                if count:
                    self._objects.labels(key.namespace, key.name, resource, action).inc(count)

    def next_cycle(self, key: ObjectKey, due: datetime | None) -> None:
        """When the next one is due."""
        if due is None:
            self._next.remove_by_labels({"namespace": key.namespace, "connector": key.name})
        else:
            self._next.labels(key.namespace, key.name).set(due.timestamp())

    def read_ended(self, key: ObjectKey, result: str) -> None:
        """Counts a read; `result` is Succeeded or the reason of its failure."""
        self._reads.labels(key.namespace, key.name, result).inc()

    def conditions(self, key: ObjectKey, conditions: Iterable[Condition]) -> None:
        """The conditions that an object has now."""
        self._condition.remove_by_labels({"kind": key.kind.value, "namespace": key.namespace, "name": key.name})
        for condition in conditions:
            self._condition.labels(key.kind.value, key.namespace, key.name, condition.type, condition.status).set(1)

    def forget(self, key: ObjectKey) -> None:
        """The object is gone, and its series with it."""
        self.conditions(key, ())
        match key.kind:
            case Kind.CONNECTOR:
                mine = {"namespace": key.namespace, "connector": key.name}
                for metric in (
                    self._cycles, self._objects, self._linked, self._pending, self._success, self._next,
                ):  # fmt: skip
                    metric.remove_by_labels(mine)
            case Kind.SOURCE:
                self._reads.remove_by_labels({"namespace": key.namespace, "source": key.name})
            case Kind.MAPPING | Kind.RUN | Kind.CONFIG_MAP:
                pass


def _timestamp(last_event: Mapping[Kind, datetime], kind: Kind) -> float:
    last = last_event.get(kind)
    return 0.0 if last is None else last.timestamp()
