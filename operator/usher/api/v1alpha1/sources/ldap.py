"""Source kind `ldap`: a directory (RFC 4511), such as OpenLDAP, 389 Directory Server or Active Directory."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal, TypeAlias

from pydantic import Field

from usher.api.v1alpha1.references import CaRef, SecretKeyRef
from usher.api.v1alpha1.rules import Matches, Rule, Strict

DEFAULT_ID: Final = "entryUUID"
MEMBER_ATTRIBUTES: Final = ("member", "uniquemember", "memberuid")
"""In lower case, as names of attributes are compared."""

LdapUrl: TypeAlias = Annotated[
    str,
    Field(min_length=1, max_length=2048),
    Matches(
        r"ldaps?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?",
        "must be an address such as ldaps://ldap.example.com or ldap://ldap.example.com:389, and nothing after it:"
        " what is read stands in users.baseDN and groups.baseDN",
    ),
]
DistinguishedName: TypeAlias = Annotated[
    str,
    Field(min_length=1, max_length=1024),
    Matches(r"[^=,+]+=(.|\n)*", "must be a distinguished name such as ou=people,dc=example,dc=com"),
]
SearchFilter: TypeAlias = Annotated[
    str,
    Field(min_length=3, max_length=4096),
    Matches(r"[(](.|\n)*[)]", "must be a search filter in parentheses, such as (objectClass=inetOrgPerson)"),
]
AttributeName: TypeAlias = Annotated[
    str,
    Field(min_length=1, max_length=128),
    Matches(r"[A-Za-z][A-Za-z0-9-]*", "must be the name of an attribute: letters, digits and '-'"),
]


class LdapUsers(Strict):
    """Which entries are people."""

    base_dn: DistinguishedName = Field(
        alias="baseDN", description="The entry below which people are, at any depth: ou=people,dc=example,dc=com."
    )
    filter: SearchFilter = Field(
        default="(objectClass=inetOrgPerson)",
        description="Which entries below it are people (RFC 4515); (objectClass=inetOrgPerson) when absent. In Active"
        " Directory: (&(objectCategory=person)(objectClass=user)).",
    )
    id_attribute: AttributeName = Field(
        default=DEFAULT_ID,
        description="The attribute that identifies an entry for ever, a renamed one too: entryUUID (RFC 4530) when"
        " absent, objectGUID in Active Directory. Can't be changed afterwards.",
    )


def _names_members(groups: LdapGroups) -> bool:
    return groups.member_attribute.lower() in MEMBER_ATTRIBUTES


class LdapGroups(Strict):
    """Which entries are groups."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.memberAttribute) || self.memberAttribute.lowerAscii() in"
            f" [{', '.join(repr(name) for name in MEMBER_ATTRIBUTES)}]",
            "memberAttribute is member, uniqueMember (both hold distinguished names) or memberUid (which holds uids)",
            _names_members,
        ),
    )

    base_dn: DistinguishedName = Field(
        alias="baseDN", description="The entry below which groups are, at any depth: ou=groups,dc=example,dc=com."
    )
    filter: SearchFilter = Field(
        default="(objectClass=groupOfNames)",
        description="Which entries below it are groups (RFC 4515); (objectClass=groupOfNames) when absent. In Active"
        " Directory: (objectClass=group).",
    )
    member_attribute: AttributeName = Field(
        default="member",
        description="The attribute that names the members: member, or uniqueMember, by distinguished name, or memberUid"
        " by uid; member when absent.",
    )


def _reads_ids_that_syncrepl_tells(source: LdapSource) -> bool:
    return source.changes != "Syncrepl" or source.users.id_attribute.lower() == DEFAULT_ID.lower()


def _reads_ids_that_dirsync_tells(source: LdapSource) -> bool:
    return source.changes != "DirSync" or source.users.id_attribute.lower() == "objectguid"


def _encrypts_once(source: LdapSource) -> bool:
    return not (source.start_tls and source.url.startswith("ldaps:"))


def _has_encryption_for_its_authority(source: LdapSource) -> bool:
    return source.ca_ref is None or source.start_tls or source.url.startswith("ldaps:")


class LdapSource(Strict):
    """A directory."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.changes) || self.changes != 'Syncrepl' || !has(self.users.idAttribute)"
            f" || self.users.idAttribute.lowerAscii() == '{DEFAULT_ID.lower()}'",
            "changes: Syncrepl tells deletions by entryUUID, so users.idAttribute has to be entryUUID",
            _reads_ids_that_syncrepl_tells,
        ),
        Rule(
            "!has(self.changes) || self.changes != 'DirSync' || (has(self.users.idAttribute)"
            " && self.users.idAttribute.lowerAscii() == 'objectguid')",
            "changes: DirSync tells changes by objectGUID, so users.idAttribute has to be objectGUID",
            _reads_ids_that_dirsync_tells,
        ),
        Rule(
            "!has(self.startTLS) || !self.startTLS || !self.url.startsWith('ldaps:')",
            "an ldaps:// address is encrypted from the start: leave startTLS out, or use ldap://",
            _encrypts_once,
        ),
        Rule(
            "!has(self.caRef) || self.url.startsWith('ldaps:') || (has(self.startTLS) && self.startTLS)",
            "a certificate authority means nothing without encryption: use ldaps://, or set startTLS: true",
            _has_encryption_for_its_authority,
        ),
    )

    url: LdapUrl = Field(
        description="Address of the directory: ldaps://host[:636], or ldap://host[:389]. Without encryption only"
        " addresses are reached that the operator permits."
    )
    start_tls: bool = Field(
        default=False, alias="startTLS", description="Encrypt an ldap:// connection before anything is sent (StartTLS)."
    )
    ca_ref: CaRef | None = Field(
        default=None,
        description="Certificate authorities (PEM) that are trusted for this directory, instead of the public ones."
        " Verification can't be turned off.",
    )
    bind_dn: DistinguishedName = Field(
        alias="bindDN", description="The account that reads: it has to see all people and groups, and no more."
    )
    secret_ref: SecretKeyRef = Field(description="The Secret and its key that hold the account's password.")
    users: LdapUsers = Field(description="Which entries are people.")
    groups: LdapGroups | None = Field(default=None, description="Which entries are groups; none are read when absent.")
    page_size: int = Field(
        default=500, ge=1, le=1_000, description="How many entries one answer brings at the most; 500 when absent."
    )
    changes: Literal["ModifyTimestamp", "Syncrepl", "DirSync"] = Field(
        default="ModifyTimestamp",
        description="How changes are found between two full reads. ModifyTimestamp: entries modified since the last"
        " read; whoever is deleted is missed until the next full read. Syncrepl (RFC 4533; OpenLDAP with the syncprov"
        " overlay): deletions too. DirSync (Active Directory): deletions too; the account needs the right Replicating"
        " Directory Changes. ModifyTimestamp when absent.",
    )
