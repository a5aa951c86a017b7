"""Why there is no answer, in words for who asked."""

from __future__ import annotations

from dataclasses import dataclass

from usher.answers.form import Answer
from usher.answers.marks import MarkUnknown
from usher.core.errors import UsherError
from usher.kube.cluster import ClusterError
from usher.kube.readapi.answering import NotWorkable, UnknownConnector
from usher.kube.readapi.params import BadQuestion


class Problem(Answer):
    """As it is sent."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A status of HTTP, and what is told with it."""

    status: int
    reason: str
    message: str

    @property
    def body(self) -> bytes:
        """As JSON."""
        return Problem(reason=self.reason, message=self.message).model_dump_json().encode()


def refusal_of(error: UsherError) -> Refusal:
    """Of what went wrong with a question that was put."""
    match error:
        case BadQuestion() | MarkUnknown():
            return Refusal(400, error.reason, error.message)
        case UnknownConnector():
            return Refusal(404, error.reason, error.message)
        case NotWorkable():
            return Refusal(409, error.reason, error.message)
        case ClusterError():
            return Refusal(503, "ClusterUnreachable", "the operator can't ask the API server whether you may know this")
        case _:
            return Refusal(503, error.reason, error.message)
