"""Which attributes a directory is asked for, and which of them is which of the reference's names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

PERSON_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "userPrincipalName": ("userPrincipalName", "uid"),
    "mail": ("mail",),
    "givenName": ("givenName",),
    "surname": ("sn",),
    "displayName": ("displayName", "cn"),
    "jobTitle": ("title",),
    "department": ("department", "departmentNumber"),
    "companyName": ("company", "o"),
    "employeeId": ("employeeID", "employeeNumber"),
    "manager": ("manager",),
    "mailNickname": ("mailNickname",),
    "telephoneNumber": ("telephoneNumber",),
    "mobile": ("mobile",),
    "facsimileTelephoneNumber": ("facsimileTelephoneNumber",),
    "streetAddress": ("streetAddress", "street"),
    "city": ("l",),
    "state": ("st",),
    "postalCode": ("postalCode",),
    "country": ("c", "co"),
    "physicalDeliveryOfficeName": ("physicalDeliveryOfficeName",),
    "preferredLanguage": ("preferredLanguage",),
    "onPremisesSamAccountName": ("sAMAccountName",),
}
"""The reference's name of an attribute of a person: the directory's attributes that mean it, the first with a value
counts. Of several values it has the first, in the order of the directory."""

GROUP_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "displayName": ("displayName", "cn"),
    "description": ("description",),
    "mail": ("mail",),
    "mailNickname": ("mailNickname",),
    "onPremisesSamAccountName": ("sAMAccountName",),
}
"""The same for a group."""

ACCOUNT_ENABLED: Final = "accountEnabled"
MEMBERS: Final = "members"
"""All members of a group by their ids, of people and of groups; who has none is named as the directory does."""
OBJECT_ID: Final = "objectId"
DN: Final = "dn"
"""The distinguished name."""

SECRET: Final = frozenset(
    name.lower()
    for name in (
        "userPassword",
        "2.5.4.35",
        "authPassword",
        "pwdHistory",
        "unicodePwd",
        "unixUserPassword",
        "msSFU30Password",
        "dBCSPwd",
        "ntPwdHistory",
        "lmPwdHistory",
        "supplementalCredentials",
        "msDS-ManagedPassword",
        "ms-Mcs-AdmPwd",
        "msLAPS-Password",
        "msLAPS-EncryptedPassword",
        "msLAPS-EncryptedPasswordHistory",
        "msFVE-RecoveryPassword",
        "krbPrincipalKey",
        "krbMKey",
        "krbPwdHistory",
        "krbExtraData",
        "ipaNTHash",
        "ipatokenOTPkey",
        "oathSecret",
        "nisSecretKey",
        "userPKCS12",
        "sambaNTPassword",
        "sambaLMPassword",
        "sambaPasswordHistory",
    )
)
"""Never taken over, whatever the account may read. 2.5.4.35 is userPassword where no schema gives it its name."""

BOOKKEEPING: Final = frozenset(
    name.lower()
    for name in (
        "modifyTimestamp",
        "whenChanged",
        "uSNChanged",
        "entryCSN",
        "dSCorePropagationData",
        "replPropertyMetaData",
        "replUpToDateVector",
        "lastLogon",
        "lastLogoff",
        "lastLogonTimestamp",
        "logonCount",
        "badPwdCount",
        "badPasswordTime",
        "lockoutTime",
        "authTimestamp",
        "pwdLastSuccess",
        "pwdFailureTime",
        "krbLastSuccessfulAuth",
        "krbLastFailedAuth",
        "krbLoginFailedCount",
    )
)
"""Not taken over: they change with every logon or every change of something else, and say nothing of the person."""

BINARY: Final = frozenset(
    name.lower()
    for name in (
        "jpegPhoto",
        "photo",
        "thumbnailPhoto",
        "thumbnailLogo",
        "audio",
        "userCertificate",
        "userSMIMECertificate",
        "cACertificate",
        "sIDHistory",
        "msExchMailboxGuid",
        "mS-DS-ConsistencyGuid",
        "logonHours",
        "x500UniqueIdentifier",
    )
)
"""Bytes even where they look like text. All other values are text where they are UTF-8."""

MANAGER: Final = "manager"
UID: Final = "uid"
UNIQUE_MEMBER: Final = "uniquemember"
UID_MEMBER: Final = "memberuid"
MEMBER_ATTRIBUTES: Final = frozenset({"member", UNIQUE_MEMBER, UID_MEMBER})
"""Attributes of a group, in lower case, that name its members: by distinguished name, by that and a bit string, by uid.
Not taken over under their own names, since names change without any change of the group."""
REFERRING: Final = frozenset({MANAGER})
"""Attributes of a person whose values are names of entries."""

TIMESTAMP: Final = "modifyTimestamp"
LOCKS: Final = ("userAccountControl", "msDS-UserAccountDisabled", "nsAccountLock", "pwdAccountLockedTime")
"""What says that an account is disabled: Active Directory, AD LDS, 389 Directory Server and FreeIPA, the password
policy overlay of OpenLDAP."""


def asked_for(id_attribute: str) -> tuple[str, ...]:
    """All user attributes, and the operational ones that count."""
    return ("*", id_attribute, TIMESTAMP, *LOCKS)
