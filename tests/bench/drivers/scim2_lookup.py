"""What somebody writes with the SCIM client of PyPI: read the directory, look each person up, create unless found.

python -m bench.drivers.scim2_lookup URL DIRECTORY-URL

scim2-client as it comes, synchronous, one request after the other, its checks on. The clock runs from the start of the
read (python-ldap, pages of 500) to the last create.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import ldap
from ldap.controls import SimplePagedResultsControl
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import (
    Email,
    EnterpriseUser,
    ListResponse,
    Name,
    PhoneNumber,
    ResourceType,
    ScimProvider,
    SearchRequest,
    User,
)

from bench.sink import TOKEN
from bench.workspace import COLUMNS
from directory.configuration import PEOPLE, READER

_PAGE = 500


def _read(url: str) -> Iterator[dict[str, str]]:
    connection = ldap.initialize(url)
    connection.simple_bind_s(READER.dn, READER.password)
    control = SimplePagedResultsControl(True, size=_PAGE, cookie=b"")
    while True:
        number = connection.search_ext(
            PEOPLE, ldap.SCOPE_SUBTREE, "(objectClass=inetOrgPerson)", list(COLUMNS), serverctrls=[control]
        )
        _, found, _, answered = connection.result3(number)
        for _, attributes in found:
            yield {name: values[0].decode() for name, values in attributes.items()}
        control.cookie = answered[0].cookie
        if not control.cookie:
            break
    connection.unbind_s()


def _user(person: dict[str, str]) -> Any:
    user = User[EnterpriseUser](
        user_name=person["mail"],
        external_id=person["uid"],
        active=True,
        display_name=person.get("displayName"),
        name=Name(given_name=person.get("givenName"), family_name=person.get("sn")),
        title=person.get("title"),
        emails=[Email(type=Email.Type.work, value=person["mail"])],
        phone_numbers=[PhoneNumber(type=PhoneNumber.Type.work, value=person["telephoneNumber"])],
    )
    user[EnterpriseUser] = EnterpriseUser(
        department=person.get("departmentNumber"), employee_number=person.get("employeeNumber")
    )
    return user


def _create_unless_found(client: SyncSCIMClient, person: dict[str, str]) -> None:
    wanted: SearchRequest[Any] = SearchRequest(filter=f'userName eq "{person["mail"]}"')
    found = client.query(User[EnterpriseUser], query_parameters=wanted)
    assert isinstance(found, ListResponse)
    if not found.total_results:
        client.create(_user(person))


def main(url: str, directory: str) -> None:
    """Runs it and tells."""
    types = [ResourceType.from_resource(User[EnterpriseUser])]
    provider = ScimProvider(models=[User, EnterpriseUser], resource_types=types)
    people = 0
    with httpx2.Client(base_url=url, headers={"authorization": f"Bearer {TOKEN}"}, trust_env=False) as http:
        client = SyncSCIMClient(http, provider=provider)
        cpu, start = time.process_time(), time.perf_counter()
        for person in _read(directory):
            _create_unless_found(client, person)
            people += 1
        figures = {"people": people, "seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}
    print(json.dumps(figures))  # noqa: T201 - what a driver prints is its result


if __name__ == "__main__":
    main(*sys.argv[1:])
