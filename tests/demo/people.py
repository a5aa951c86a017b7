"""One day at the company: somebody joins, somebody changes jobs, somebody leaves. As the ldap tools are told."""

from __future__ import annotations

from typing import Final

from directory.configuration import GROUPS as GROUPS_BASE
from directory.configuration import PEOPLE
from directory.entries import Entry, to_ldif

COUNT: Final = 500
GROUPS: Final = 20

JOINER: Final = "nia.okonkwo"
MOVER: Final = "abebe.suzuki"
NEW_TITLE: Final = "Engineering Manager"
LEAVER: Final = "grace.becker"
TEAM: Final = "Engineering"
"""The group into which the joiner comes."""


def dn_of(uid: str) -> str:
    """The entry of a person whose name is not awkward."""
    return f"uid={uid},{PEOPLE}"


def joining() -> str:
    """The joiner's entry, as LDIF."""
    attributes = {
        "objectClass": ("inetOrgPerson",),
        "uid": (JOINER,),
        "cn": ("Nia Okonkwo",),
        "givenName": ("Nia",),
        "sn": ("Okonkwo",),
        "mail": (f"{JOINER}@example.com",),
        "title": ("Security Engineer",),
        "departmentNumber": ("540",),
    }
    return "".join(to_ldif([Entry(dn_of(JOINER), attributes)])).strip()


def coming_in() -> str:
    """The joiner becomes a member of the team, as a change in LDIF."""
    return f"dn: cn={TEAM},{GROUPS_BASE}\nchangetype: modify\nadd: member\nmember: {dn_of(JOINER)}"


def moving() -> str:
    """The mover's new title, as a change in LDIF."""
    return f"dn: {dn_of(MOVER)}\nchangetype: modify\nreplace: title\ntitle: {NEW_TITLE}"
