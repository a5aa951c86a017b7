"""What is said of a certificate that is not trusted; `test_http.py` meets the same over real TLS."""

from __future__ import annotations

import ssl

import pytest

from usher.transport.certificates import Authority, unverified


def failed(code: int, message: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError()
    error.verify_code, error.verify_message = code, message
    return error


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (62, "for another host. Use a name that is in it"),
        (64, "for another host. Use a name that is in it"),
        (10, "has expired: the server needs a new one"),
        (9, "not valid yet: compare the clocks"),
    ],
)
@pytest.mark.parametrize("authority", Authority)
def test_another_authority_is_not_the_way_out_where_it_changes_nothing(
    code: int, told: str, authority: Authority
) -> None:
    error = unverified("app.example.com", failed(code, "certificate is not valid for 'app'."), authority, "tls.caRef")

    assert told in str(error)
    assert "tls.caRef changes nothing" in str(error)
    assert ".;" not in str(error)


def test_an_unknown_authority_is_named_in_the_field_or_another_one_is() -> None:
    error = failed(20, "unable to get local issuer certificate")

    public = str(unverified("app", error, Authority.PUBLIC, "tls.caRef"))
    given = str(unverified("app", error, Authority.GIVEN, "tls.caRef"))

    assert public.endswith("issuer certificate. If an authority of your own signed it, name that in tls.caRef")
    assert given.endswith("issuer certificate. The authority in tls.caRef did not sign it: name the one that did")
