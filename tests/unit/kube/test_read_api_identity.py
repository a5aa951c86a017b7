"""The certificate of the read API."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from threading import Thread

import pytest
import trustme

from usher.core.errors import UsherError
from usher.kube.readapi.identity import make_identity, read_identity
from usher.kube.readapi.notice import Badge

HOST = "usher-read-api.usher-system.svc"


def given(folder: Path, *hosts: str) -> Path:
    """A folder as a Secret of type kubernetes.io/tls is mounted, with the authority beside it."""
    authority = trustme.CA()
    leaf = authority.issue_cert(*hosts)
    folder.mkdir(exist_ok=True)
    (folder / "tls.crt").write_bytes(b"".join(one.bytes() for one in leaf.cert_chain_pems))
    (folder / "tls.key").write_bytes(leaf.private_key_pem.bytes())
    (folder / "ca.crt").write_bytes(authority.cert_pem.bytes())
    return folder


def shakes_hands(badge: Badge, authority: bytes, host: str = HOST) -> bool:
    """Whether a client that trusts this authority, and nothing else, believes that it speaks with this host."""
    trust = ssl.create_default_context(cadata=authority.decode())
    trust.verify_flags |= ssl.VERIFY_X509_STRICT
    ours, theirs = socket.socketpair()

    def serve() -> None:
        try:
            badge.context.wrap_socket(theirs, server_side=True).close()
        except OSError:
            theirs.close()

    thread = Thread(target=serve)
    thread.start()
    try:
        with trust.wrap_socket(ours, server_hostname=host):
            return True
    except ssl.SSLCertVerificationError:
        return False
    finally:
        ours.close()
        thread.join()


def test_one_that_is_made_is_known_by_its_authority_and_by_no_other_and_for_its_host_alone() -> None:
    badge, other = Badge.begin(HOST, None), make_identity(HOST)
    assert shakes_hands(badge, badge.identity.authority)
    assert not shakes_hands(badge, other.authority)
    assert not shakes_hands(badge, badge.identity.authority, "usher-read-api.elsewhere.svc")


def test_its_key_is_not_shown_by_accident() -> None:
    assert "PRIVATE" not in repr(make_identity(HOST))


def test_a_given_one_is_shown_and_its_successor_as_well(tmp_path: Path) -> None:
    badge = Badge.begin(HOST, given(tmp_path, "usher-read-api.usher-system", HOST))
    former = badge.identity.authority
    assert shakes_hands(badge, former)

    given(tmp_path, HOST)
    badge.renew()

    assert not shakes_hands(badge, former)
    assert shakes_hands(badge, badge.identity.authority)


def test_a_successor_that_can_t_be_used_is_told_and_the_former_stays(tmp_path: Path) -> None:
    badge = Badge.begin(HOST, given(tmp_path, HOST))
    (tmp_path / "tls.key").write_bytes(given(tmp_path / "other", HOST).joinpath("tls.key").read_bytes())
    with pytest.raises(UsherError, match=r"tls\.key is not the key of tls\.crt"):
        badge.renew()
    assert shakes_hands(badge, badge.identity.authority)


def test_without_an_authority_the_certificate_itself_is_trusted(tmp_path: Path) -> None:
    (given(tmp_path, HOST) / "ca.crt").unlink()
    found = read_identity(tmp_path, HOST)
    assert found.authority == found.chain


@pytest.mark.parametrize(
    ("file", "content", "complaint"),
    [
        ("tls.crt", None, "tls.crt can't be read"),
        ("tls.key", None, "tls.key can't be read"),
        ("tls.crt", b"secret text", "in PEM"),
        ("tls.key", b"secret text", "in PEM"),
        ("ca.crt", b"secret text", "in PEM"),
    ],
)
def test_what_can_t_be_used_is_told_without_what_is_in_it(
    tmp_path: Path, file: str, content: bytes | None, complaint: str
) -> None:
    path = given(tmp_path, HOST) / file
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(UsherError, match=complaint) as caught:
        read_identity(tmp_path, HOST)
    assert "secret text" not in caught.value.message


def test_one_for_another_host_is_refused_at_the_start_and_not_by_each_client(tmp_path: Path) -> None:
    with pytest.raises(UsherError, match=f"it is not for {HOST}"):
        read_identity(given(tmp_path, "elsewhere.svc"), HOST)
