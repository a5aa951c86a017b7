"""Our bodies as files to read, judged by a model of the protocol that others wrote."""

from __future__ import annotations

from pathlib import Path

import orjson
from scim2_models import EnterpriseUser, PatchOp, User

from usher.core.model.plans import Create, Replace, Update
from usher.core.model.resources import AttributePath, Json, ResourceType, TargetId
from usher.core.scim.patches import build_patch
from usher.core.scim.paths import ENTERPRISE_URN
from usher.core.scim.requests import create_body, patch_body

HERE = Path(__file__).parent


def at(values: dict[str, Json]) -> dict[AttributePath, Json]:
    return {AttributePath(path): value for path, value in values.items()}


def test_a_create_carries_a_whole_user_as_rfc_7643_8_3_shows_it() -> None:
    values = at(
        {
            "userName": "bjensen@example.com",
            "externalId": "701984",
            "active": True,
            "name.givenName": "Barbara",
            "name.familyName": "Jensen",
            'emails[type eq "work"].value': "bjensen@example.com",
            'emails[type eq "work"].primary': True,
            'emails[type eq "home"].value': "babs@jensen.example",
            f"{ENTERPRISE_URN}:employeeNumber": "701984",
            f"{ENTERPRISE_URN}:department": "Tour Operations",
        }
    )

    body = create_body(Create(ResourceType.USER, values))

    assert orjson.loads(body) == orjson.loads((HERE / "create_user.json").read_bytes())
    user = User[EnterpriseUser].model_validate_json(body)
    assert user[EnterpriseUser].department == "Tour Operations"


def test_an_update_carries_the_smallest_operations_as_rfc_7644_3_5_2_shows_them() -> None:
    before = at(
        {
            'emails[type eq "work"].value': "bjensen@example.com",
            "nickName": "Babs",
            "active": True,
            f"{ENTERPRISE_URN}:department": "Tour Operations",
        }
    )
    wanted = at(
        {
            'emails[type eq "work"].value': "bj@example.com",
            'addresses[type eq "work"].locality': "Hollywood",
            "title": "Tour Guide",
            'addresses[type eq "work"].region': "CA",
            "nickName": None,
            "active": False,
            f"{ENTERPRISE_URN}:department": "Theme Park",
        }
    )
    delta = {path: Replace(value) for path, value in wanted.items()}

    body = patch_body(build_patch(Update(ResourceType.USER, TargetId("1"), delta, before, None)))

    assert orjson.loads(body) == orjson.loads((HERE / "update_user.json").read_bytes())
    assert len(PatchOp[User[EnterpriseUser]].model_validate_json(body).operations or ()) == 6
