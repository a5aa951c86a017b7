"""Target kind `scim`: an app with a SCIM 2.0 endpoint (RFC 7644)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from usher.api.v1alpha1.durations import AtLeast
from usher.api.v1alpha1.references import CaRef, SecretKeyRef
from usher.api.v1alpha1.rules import Matches, Strict

HttpUrl: TypeAlias = Annotated[
    str,
    Field(min_length=1, max_length=2048),
    Matches(
        r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*)*",
        "must be an address such as https://app.example.com/scim/v2:"
        " http or https, a host, and no user name, query or fragment",
    ),
]


class Bearer(Strict):
    """A fixed token in the Authorization header (RFC 6750)."""

    secret_ref: SecretKeyRef = Field(description="The Secret and its key that hold the token.")


class ScimAuth(Strict):
    """How the operator authenticates at the app; exactly one way."""

    bearer: Bearer = Field(description="A bearer token that the app has issued.")


class ScimTls(Strict):
    """Settings of the TLS connection. Verification can't be turned off."""

    ca_ref: CaRef = Field(
        description="Certificate authorities (PEM) that are trusted for this app, instead of the public ones."
    )


class ScimQuirks(Strict):
    """Single facts about an app that it does not tell itself."""

    lookup: Annotated[
        Literal["Query", "None"], Field(description="None: the app answers neither queries nor lists.")
    ] = "Query"
    settle: Annotated[timedelta, AtLeast("0s")] = Field(
        default=timedelta(),
        description="For how long, at the most, the app may leave a new account out of its answers.",
    )


class ScimTarget(Strict):
    """An app with a SCIM 2.0 endpoint."""

    url: HttpUrl = Field(
        description="Address of the SCIM endpoint, such as https://app.example.com/scim/v2; /Users is appended to it."
        " At another address everybody is matched anew, which somebody has to approve."
    )
    auth: ScimAuth = Field(description="How the operator authenticates at the app; exactly one way.")
    quirks: ScimQuirks = Field(default=ScimQuirks(), description="Single facts about the app that it does not tell.")
    tls: ScimTls | None = Field(default=None, description="Settings of the TLS connection.")
