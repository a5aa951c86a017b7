"""What a result of a directory means, with a way out and nobody's name."""

from __future__ import annotations

import ldap
import pytest

from usher.core.errors import CycleError, IncompleteRead, UsherError, WatermarkExpired
from usher.transport.ldap.errors import interpret

PERSON = "uid=ada,ou=people"


def told(kind: type[ldap.LDAPError], **others: object) -> UsherError:
    return interpret(kind({"desc": "In words", "info": f"about {PERSON}", **others}), "ldap.example", "Away")


@pytest.mark.parametrize(
    ("kind", "expected", "reason", "words"),
    [
        (ldap.SIZELIMIT_EXCEEDED, IncompleteRead, "IncompleteRead", "Raise the account's limits"),
        (ldap.TIMELIMIT_EXCEEDED, IncompleteRead, "IncompleteRead", "Raise the account's limits"),
        (ldap.ADMINLIMIT_EXCEEDED, IncompleteRead, "IncompleteRead", "lower pageSize"),
        (ldap.PARTIAL_RESULTS, IncompleteRead, "IncompleteRead", "no success"),
        (ldap.OPERATIONS_ERROR, IncompleteRead, "IncompleteRead", "no success"),
        (ldap.OTHER, IncompleteRead, "IncompleteRead", "no success"),
        (ldap.CONFIDENTIALITY_REQUIRED, CycleError, "Away", "use ldaps://, or set startTLS: true"),
        (ldap.STRONG_AUTH_REQUIRED, CycleError, "Away", "use ldaps://, or set startTLS: true"),
        (ldap.INVALID_CREDENTIALS, CycleError, "CredentialsRejected", "look at bindDN"),
        (ldap.INAPPROPRIATE_AUTH, CycleError, "CredentialsRejected", "look at bindDN"),
        (ldap.INSUFFICIENT_ACCESS, CycleError, "CredentialsRejected", "look at bindDN"),
        (ldap.NO_SUCH_OBJECT, CycleError, "BaseNotFound", "hides it from the account"),
        (ldap.INVALID_DN_SYNTAX, CycleError, "BaseNotFound", "no such entry"),
        (ldap.REFERRAL, CycleError, "BaseNotFound", "name that in url"),
        (ldap.FILTER_ERROR, CycleError, "FilterInvalid", "RFC 4515"),
        (ldap.UNAVAILABLE_CRITICAL_EXTENSION, CycleError, "ControlUnknown", "this way of reading"),
        (ldap.SERVER_DOWN, CycleError, "Away", "ldap.example did not answer whole"),
        (ldap.CONNECT_ERROR, CycleError, "Away", "ldap.example did not answer whole"),
        (ldap.BUSY, CycleError, "Away", "ldap.example did not answer whole"),
        (ldap.UNAVAILABLE, CycleError, "Away", "ldap.example did not answer whole"),
        (ldap.UNWILLING_TO_PERFORM, CycleError, "Away", "ldap.example did not answer whole"),
        (ldap.DECODING_ERROR, CycleError, "Away", "ldap.example did not answer whole"),
    ],
)
def test_a_result_says_what_to_do(
    kind: type[ldap.LDAPError], expected: type[UsherError], reason: str, words: str
) -> None:
    error = told(kind)

    assert type(error) is expected
    assert error.reason == reason
    assert words in str(error)
    assert PERSON not in str(error)
    assert PERSON in error.detail


def test_every_error_of_the_library_is_one_of_ours() -> None:
    kinds = [each for each in vars(ldap).values() if isinstance(each, type) and issubclass(each, ldap.LDAPError)]

    assert len(kinds) > 40
    assert all(isinstance(told(kind), CycleError | IncompleteRead) for kind in kinds)


def test_a_refresh_that_is_required_is_an_expired_watermark() -> None:
    assert isinstance(told(ldap.LDAPError, result=4096), WatermarkExpired)


@pytest.mark.parametrize("arguments", [(), ("text",), (None,), ({},), ({"desc": "a\nb" * 500, "info": None},)])
def test_an_error_without_the_usual_words_is_told_all_the_same(arguments: tuple[object, ...]) -> None:
    error = interpret(ldap.OTHER(*arguments), "ldap.example", "Away")

    assert len(str(error)) < 400
    assert "\n" not in str(error)
