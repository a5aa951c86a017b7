"""Sentences by which apps say that no licence is left, and sentences that only mention one."""

from __future__ import annotations

import pytest

from usher.core.scim.licences import is_used_up


@pytest.mark.parametrize(
    ("status", "detail"),
    [
        (402, ""),
        (402, "Payment Required"),
        (403, "License limit has been reached."),
        (403, "User limit reached (5 max)"),
        (403, "Seat limit reached"),
        (400, "The request fails: exceeding the team license"),
        (400, "You have exceeded the number of seats of your plan"),
        (422, "No more available licenses for this account"),
        (403, "There are not enough licences"),
        (403, "error-license-user-limit-reached: all seats are in use"),
    ],
)
def test_an_app_without_licences_is_understood(status: int, detail: str) -> None:
    assert is_used_up(status, detail)


@pytest.mark.parametrize(
    ("status", "detail"),
    [
        (400, "licenseType must be one of Full, Viewer"),
        (400, "the attribute license is required"),
        (403, "your licence does not include SCIM"),
        (403, "Rate limit reached"),
        (400, "userName exceeds the maximum length of 64"),
        (409, "User limit reached"),
        (500, "License limit has been reached."),
        (400, ""),
    ],
)
def test_who_only_mentions_a_licence_or_another_limit_is_not(status: int, detail: str) -> None:
    assert not is_used_up(status, detail)
