from __future__ import annotations

import orjson
import pytest

from usher.core.errors import ResourceError
from usher.core.model.plans import Create, Criterion
from usher.core.model.resources import AttributePath, Json, ResourceType, TargetId
from usher.core.scim.paths import ENTERPRISE_URN, USER_URN
from usher.core.scim.requests import create_body, find_url, page_url, resource_url

USER = ResourceType.USER


def body_of(values: dict[str, Json]) -> Json:
    body: Json = orjson.loads(create_body(Create(USER, {AttributePath(path): value for path, value in values.items()})))
    return body


def test_schemas_names_the_extensions_that_are_used_and_no_others() -> None:
    assert body_of({"userName": "a"}) == {"schemas": [USER_URN], "userName": "a"}
    assert body_of({"userName": "a", f"{ENTERPRISE_URN}:division": "x", f"{ENTERPRISE_URN}:department": "y"}) == {
        "schemas": [USER_URN, ENTERPRISE_URN],
        "userName": "a",
        ENTERPRISE_URN: {"division": "x", "department": "y"},
    }


def test_null_is_never_sent_in_a_create() -> None:
    assert body_of({"userName": "a", "title": None}) == {"schemas": [USER_URN], "userName": "a"}


@pytest.mark.parametrize(
    ("target_id", "url"),
    [
        ("2819c223", "/Users/2819c223"),
        ("a/b?c#d", "/Users/a%2Fb%3Fc%23d"),
        ("a b%20", "/Users/a%20b%2520"),
        ("zoë@x", "/Users/zo%C3%AB%40x"),
        ("...", "/Users/..."),
    ],
)
def test_an_id_is_one_segment_whatever_is_in_it(target_id: str, url: str) -> None:
    assert resource_url(USER, TargetId(target_id)) == url


@pytest.mark.parametrize("target_id", ["", ".", ".."])
def test_an_id_that_would_mean_another_place_is_refused(target_id: str) -> None:
    with pytest.raises(ResourceError):
        resource_url(USER, TargetId(target_id))


def test_query_strings_are_encoded_whole() -> None:
    key = (Criterion(AttributePath("userName"), "a&b+c=ü"),)

    assert find_url(USER, key, 100) == ("/Users?filter=userName%20eq%20%22a%26b%2Bc%3D%C3%BC%22&startIndex=1&count=100")
    assert page_url(USER, 101, 100) == "/Users?startIndex=101&count=100"
