"""The private slapd of the tests: what others lean on when they say that a source does well with a real directory."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ldap
import pytest
from ldap.controls import SimplePagedResultsControl
from ldap.dn import explode_rdn
from ldap.syncrepl import SyncInfoMessage, SyncRequestControl

from cluster.processes import Stamp
from directory.certificates import Certificates
from directory.configuration import (
    ACCOUNTS,
    ADMIN,
    GROUPS,
    LIMITED,
    PAGE_LIMIT,
    PEOPLE,
    READER,
    SIZE_LIMIT,
    SMALL_PAGES,
    SUFFIX,
    Account,
    Settings,
)
from directory.entries import Entry, encoded
from directory.fixtures import DIRECTORY_GROUPS, DIRECTORY_PEOPLE
from directory.population import people
from directory.slapd import Slapd, SlapdError

PERSONS = "(objectClass=inetOrgPerson)"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Slapd]:
    """A running instance for one test, with ten people."""
    slapd = Slapd(tmp_path / "own")
    slapd.load(people(10))
    with slapd:
        yield slapd


def found(connection: Any, base: str, condition: str = "(objectClass=*)") -> list[tuple[str, dict[str, list[bytes]]]]:
    rows: list[tuple[str, dict[str, list[bytes]]]] = connection.search_s(base, ldap.SCOPE_SUBTREE, condition)
    return rows


def in_pages(connection: Any, size: int) -> int:
    """How many people come in pages of this size."""
    control, total = SimplePagedResultsControl(True, size=size, cookie=b""), 0
    while True:
        message = connection.search_ext(PEOPLE, ldap.SCOPE_SUBTREE, PERSONS, ["uid"], serverctrls=[control])
        _, rows, _, answered = connection.result3(message)
        total += len(rows)
        (control.cookie,) = (each.cookie for each in answered if each.controlType == control.controlType)
        if not control.cookie:
            return total


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


@dataclass(slots=True)
class Refreshed:
    """What one refresh of syncrepl (RFC 4533) says: its cookie, and the entryUUIDs of two of its kinds."""

    cookie: str
    gone: list[str] = field(default_factory=list)
    present: list[str] = field(default_factory=list)


def refreshed(connection: Any, cookie: str | None) -> Refreshed:
    asked = SyncRequestControl(cookie=cookie, mode="refreshOnly")
    message = connection.search_ext(SUFFIX, ldap.SCOPE_SUBTREE, attrlist=["1.1"], serverctrls=[asked])
    outcome = Refreshed("")
    kind = None
    while kind != ldap.RES_SEARCH_RESULT:
        kind, data, _, controls, _, _ = connection.result4(message, all=0, add_ctrls=1, add_intermediates=1)
        if kind == ldap.RES_SEARCH_RESULT:
            (outcome.cookie,) = (each.cookie for each in controls)
        for row in data or []:
            note(outcome, row)
    return outcome


def ids(connection: Any) -> set[str]:
    """The entryUUIDs of all entries."""
    rows = connection.search_s(SUFFIX, ldap.SCOPE_SUBTREE, attrlist=["entryUUID"])
    return {attributes["entryUUID"][0].decode() for _, attributes in rows}


def note(outcome: Refreshed, row: Any) -> None:
    """One message before the last: an entry with its state, or a set of ids."""
    if isinstance(row[0], str) and "=" not in row[0]:
        named = SyncInfoMessage(row[1]).syncIdSet
        if named:
            (outcome.gone if named["refreshDeletes"] else outcome.present).extend(named["syncUUIDs"])
        return
    for state in row[2]:
        if state.state == "present":
            outcome.present.append(state.entryUUID)
        elif state.state == "delete":
            outcome.gone.append(state.entryUUID)


def names(slapd: Slapd) -> set[str]:
    with slapd.session() as admin:
        return {dn for dn, _ in found(admin, PEOPLE, PERSONS)}


def test_a_reader_gets_everybody_at_once_and_in_pages(directory: Slapd) -> None:
    with directory.session(READER) as reader:
        assert len(found(reader, PEOPLE, PERSONS)) == DIRECTORY_PEOPLE
        assert len(found(reader, GROUPS, "(objectClass=groupOfNames)")) == DIRECTORY_GROUPS
        assert in_pages(reader, 300) == DIRECTORY_PEOPLE


def test_a_limited_account_gets_500_rows_and_then_an_error_but_everybody_in_pages(directory: Slapd) -> None:
    with directory.session(LIMITED) as limited:
        message = limited.search(PEOPLE, ldap.SCOPE_SUBTREE, PERSONS)
        rows = [limited.result(message, all=0)[1] for _ in range(SIZE_LIMIT)]
        assert all(len(row) == 1 for row in rows)
        with pytest.raises(ldap.SIZELIMIT_EXCEEDED):
            limited.result(message, all=0)
        assert in_pages(limited, 300) == DIRECTORY_PEOPLE


def test_an_account_of_small_pages_gets_no_larger_ones(directory: Slapd) -> None:
    with directory.session(SMALL_PAGES) as connection:
        assert in_pages(connection, PAGE_LIMIT) == DIRECTORY_PEOPLE
        with pytest.raises(ldap.ADMINLIMIT_EXCEEDED):
            in_pages(connection, PAGE_LIMIT + 1)


def test_passwords_are_for_nobody_and_nothing_is_for_the_anonymous(directory: Slapd) -> None:
    with directory.session(READER) as reader:
        assert found(reader, ACCOUNTS, "(userPassword=*)") == []
        assert all("userPassword" not in attributes for _, attributes in found(reader, SUFFIX))
    with directory.session(Account("", "")) as anonymous, pytest.raises(ldap.NO_SUCH_OBJECT):
        found(anonymous, SUFFIX)


def test_a_wrong_password_is_refused(directory: Slapd) -> None:
    with pytest.raises(ldap.INVALID_CREDENTIALS), directory.session(Account(READER.dn, "wrong")):
        pass


def test_people_come_back_as_they_were_made(directory: Slapd) -> None:
    with directory.session(READER) as reader:
        stored = {row["uid"][0].decode(): (dn, row) for dn, row in found(reader, PEOPLE, PERSONS)}
    for person in people(DIRECTORY_PEOPLE):
        dn, row = stored[person.text("uid")]
        assert ldap.dn.str2dn(dn) == ldap.dn.str2dn(person.dn)
        assert row == {name: encoded(values) for name, values in person.attributes.items()}


def test_tls_has_a_certificate_that_its_authority_vouches_for(directory: Slapd) -> None:
    context = ssl.create_default_context(cadata=directory.authority)
    port = int(directory.tls_url.rpartition(":")[2])
    for name in ("localhost", "127.0.0.1"):
        with connected(port) as plain, context.wrap_socket(plain, server_hostname=name) as secured:
            assert secured.version() in {"TLSv1.2", "TLSv1.3"}
    strange = ssl.create_default_context(cadata=Certificates.issue().authority)
    with connected(port) as plain, pytest.raises(ssl.SSLCertVerificationError):
        strange.wrap_socket(plain, server_hostname="localhost")


def test_the_port_in_the_clear_offers_starttls(directory: Slapd, tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text(directory.authority, encoding="ascii")
    connection = ldap.initialize(directory.url)
    try:
        connection.set_option(ldap.OPT_X_TLS_CACERTFILE, str(authority))
        connection.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
        connection.start_tls_s()
        connection.simple_bind_s(READER.dn, READER.password)
        assert len(found(connection, PEOPLE, PERSONS)) == DIRECTORY_PEOPLE
    finally:
        connection.unbind_s()


def test_what_was_written_is_there_after_a_kill_and_a_start_on_the_same_port(own: Slapd) -> None:
    url, joiner = own.url, people(11)[10]
    own.add(joiner.dn, joiner.attributes)
    own.kill()
    with pytest.raises(ldap.SERVER_DOWN):
        names(own)
    own.start()
    assert own.url == url
    assert joiner.dn in names(own)
    assert len(names(own)) == 11


def test_what_was_written_is_there_after_an_orderly_restart(own: Slapd) -> None:
    own.delete(people(1)[0].dn)
    own.stop()
    own.start()
    assert len(names(own)) == 9


def test_entries_are_changed_while_it_runs(own: Slapd) -> None:
    first, second = people(2)
    own.modify(first.dn, {"title": ["Chief"], "l": [], "description": ["one", "two"]})
    own.rename(second.dn, "uid=renamed")
    with own.session(READER) as reader:
        ((_, changed),) = found(reader, first.dn)
        ((dn, renamed),) = found(reader, PEOPLE, "(uid=renamed)")
    assert changed["title"] == [b"Chief"]
    assert "l" not in changed
    assert changed["description"] == [b"one", b"two"]
    assert explode_rdn(dn) == ["uid=renamed"]
    assert renamed["uid"] == [b"renamed"]


def test_a_renamed_entry_keeps_its_uuid(own: Slapd) -> None:
    dn = people(1)[0].dn
    with own.session(READER) as reader:
        ((_, before),) = reader.search_s(dn, ldap.SCOPE_BASE, attrlist=["entryUUID"])
        own.rename(dn, "uid=renamed")
        ((_, after),) = reader.search_s(f"uid=renamed,{PEOPLE}", ldap.SCOPE_BASE, attrlist=["entryUUID"])
    assert before == after


def test_attributes_of_active_directory_have_a_place(own: Slapd) -> None:
    person = people(1)[0]
    own.modify(
        person.dn,
        {
            "objectClass": [*person.attributes["objectClass"], "activeDirectoryAccount"],
            "objectGUID": [bytes(range(240, 256))],
            "userAccountControl": ["514"],
            "sAMAccountName": ["omar"],
        },
    )
    disabled = "(userAccountControl:1.2.840.113556.1.4.803:=2)"
    with own.session(READER) as reader:
        ((_, attributes),) = found(reader, PEOPLE, disabled)
    assert attributes["objectGUID"] == [bytes(range(240, 256))]


def test_accounts_can_be_locked_where_ppolicy_is_on(tmp_path: Path) -> None:
    person = people(1)[0]
    slapd = Slapd(tmp_path / "locking", Settings(ppolicy=True))
    slapd.load([person])
    with slapd:
        slapd.modify(person.dn, {"pwdAccountLockedTime": ["000001010000Z"]})
        with slapd.session(READER) as reader:
            ((_, attributes),) = reader.search_s(person.dn, ldap.SCOPE_BASE, attrlist=["pwdAccountLockedTime"])
    assert attributes == {"pwdAccountLockedTime": [b"000001010000Z"]}


def test_syncrepl_names_what_went_where_a_session_log_remembers_it_and_else_all_that_is_left(tmp_path: Path) -> None:
    everybody = people(5)
    for session_log in (0, 100):
        slapd = Slapd(tmp_path / f"remembers {session_log}", Settings(session_log=session_log))
        slapd.load(everybody)
        with slapd, slapd.session(READER) as reader:
            first, known = refreshed(reader, None), ids(reader)
            slapd.delete(everybody[3].dn)
            second, left = refreshed(reader, first.cookie), ids(reader)
        told = (set(), left) if session_log == 0 else (known - left, set())
        assert (set(second.gone), set(second.present)) == told


def test_two_instances_run_side_by_side(own: Slapd, tmp_path: Path) -> None:
    with Slapd(tmp_path / "other") as other:
        assert other.port != own.port
        assert names(other) == set()
        assert len(names(own)) == 10


def test_closing_leaves_no_process_and_no_file_outside_the_folder(tmp_path: Path) -> None:
    with Slapd(tmp_path / "closed") as slapd:
        pid, port = slapd.pid, slapd.port
        assert Stamp.of(pid) is not None
    assert Stamp.of(pid) is None
    assert not slapd.runs
    with pytest.raises(ConnectionRefusedError):
        connected(port)
    assert [path.name for path in tmp_path.iterdir()] == ["closed"]


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(SlapdError, match=r"a folder that slapd cannot have: .*file"), Slapd(file):
        pass


def test_why_slapd_does_not_start_is_told_in_its_own_words(tmp_path: Path) -> None:
    slapd = Slapd(tmp_path / "ruined")
    slapd.load([])
    (tmp_path / "ruined" / "data" / "data.mdb").write_bytes(os.urandom(1 << 16))
    with pytest.raises(SlapdError, match=r"(?s)slapd ended with 1:.*mdb_db_open"), slapd:
        pass
    assert not slapd.runs


def test_why_an_entry_was_not_loaded_is_told_in_the_words_of_slapadd(tmp_path: Path) -> None:
    slapd = Slapd(tmp_path / "refused")
    try:
        with pytest.raises(SlapdError, match=r"(?s)slapadd ended with 1:.*sn"):
            slapd.load([Entry(f"uid=x,{PEOPLE}", {"objectClass": ["inetOrgPerson"], "uid": ["x"], "cn": ["x"]})])
    finally:
        slapd.close()


def test_nothing_is_loaded_into_a_running_instance(own: Slapd) -> None:
    with pytest.raises(SlapdError, match="needs slapd stopped"):
        own.load(people(1))


def test_the_administrator_is_no_entry(own: Slapd) -> None:
    with own.session(ADMIN) as admin, pytest.raises(ldap.NO_SUCH_OBJECT):
        found(admin, ADMIN.dn)
