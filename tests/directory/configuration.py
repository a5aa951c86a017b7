"""What a private slapd is told: its accounts, its limits, its schema, as slapd.conf(5) wants it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from directory.certificates import Certificates
from directory.entries import Entry

SUFFIX: Final = "dc=example,dc=com"
PEOPLE: Final = f"ou=people,{SUFFIX}"
GROUPS: Final = f"ou=groups,{SUFFIX}"
ACCOUNTS: Final = f"ou=accounts,{SUFFIX}"
SIZE_LIMIT: Final = 500
"""Entries that the account LIMITED gets of a search without pages, before result 4 (sizeLimitExceeded)."""
PAGE_LIMIT: Final = 50
"""Entries that the account SMALL_PAGES may ask for in one page."""

_MODULES: Final = Path("/usr/lib/ldap")
_SCHEMAS: Final = Path("/etc/ldap/schema")
_MAX_BYTES: Final = 8 << 30  # address space, not disk: the file grows with what it holds


@dataclass(frozen=True, slots=True)
class Account:
    """Who binds."""

    dn: str
    password: str


ADMIN: Final = Account(f"cn=admin,{SUFFIX}", "admin-of-the-tests")
"""May do anything; no entry of the directory (rootdn)."""
READER: Final = Account(f"cn=reader,{ACCOUNTS}", "reader-of-the-tests")
"""Reads all but passwords, without limits."""
LIMITED: Final = Account(f"cn=limited,{ACCOUNTS}", "limited-of-the-tests")
"""Reads what READER reads, but at most SIZE_LIMIT entries by a search without pages."""
SMALL_PAGES: Final = Account(f"cn=small-pages,{ACCOUNTS}", "small-pages-of-the-tests")
"""Reads what READER reads, in pages of at most PAGE_LIMIT entries."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How an instance differs from the plain one.

    With `certificates` it serves TLS. `session_log` is how many changes syncprov remembers, 0 for none: what was
    deleted is told one by one while they are remembered, and by naming all that is left afterwards. With `ppolicy`
    accounts can be locked (`pwdAccountLockedTime`).
    """

    certificates: Certificates | None = None
    session_log: int = 0
    ppolicy: bool = False


PLAIN: Final = Settings()

SCHEMA: Final = """\
attributetype ( 1.2.840.113556.1.4.2 NAME 'objectGUID'
  EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl'
  EQUALITY integerMatch ORDERING integerOrderingMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.221 NAME 'sAMAccountName'
  EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
objectclass ( 2.999.1 NAME 'activeDirectoryAccount' SUP top AUXILIARY
  MAY ( objectGUID $ userAccountControl $ sAMAccountName ) )
"""
"""Attributes of Active Directory with its OIDs, and a class of ours (in the arc for examples) that allows them."""


def write(folder: Path, settings: Settings) -> Path:
    """Puts the configuration and what it names into the folder; the path of slapd.conf. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "data").mkdir(exist_ok=True)
    (folder / "tests.schema").write_text(SCHEMA, encoding="utf-8")
    if settings.certificates is not None:
        _write_certificates(folder, settings.certificates)
    path = folder / "slapd.conf"
    path.write_text("\n".join([*_server(folder, settings), *_database(folder, settings), ""]), encoding="utf-8")
    return path


def base_entries() -> tuple[Entry, ...]:
    """What every instance holds before anything is loaded: the folders and the accounts."""
    domain = {"objectClass": ("dcObject", "organization"), "dc": ("example",), "o": ("Example",)}
    units = [
        Entry(dn, {"objectClass": ("organizationalUnit",), "ou": (dn.partition(",")[0].removeprefix("ou="),)})
        for dn in (PEOPLE, GROUPS, ACCOUNTS)
    ]
    return (Entry(SUFFIX, domain), *units, *map(_account_entry, (READER, LIMITED, SMALL_PAGES)))


def _account_entry(account: Account) -> Entry:
    return Entry(
        account.dn,
        {
            "objectClass": ("organizationalRole", "simpleSecurityObject"),
            "cn": (account.dn.partition(",")[0].removeprefix("cn="),),
            "userPassword": (account.password,),
        },
    )


def _server(folder: Path, settings: Settings) -> list[str]:
    modules = ["back_mdb", "syncprov", *(["ppolicy"] if settings.ppolicy else [])]
    schemas = [*(_SCHEMAS / f"{name}.schema" for name in ("core", "cosine", "inetorgperson", "nis"))]
    lines = [f"modulepath {_MODULES}", *(f"moduleload {name}" for name in modules)]
    lines += [f'include "{path}"' for path in (*schemas, folder / "tests.schema")]
    if settings.certificates is not None:
        named = {"CACertificateFile": "ca.pem", "CertificateFile": "server.pem", "CertificateKeyFile": "server.key"}
        lines += [f'TLS{option} "{folder / name}"' for option, name in named.items()]
    return [
        *lines,
        "loglevel 0",
        "access to attrs=userPassword by anonymous auth by * none",
        "access to * by users read by * none",
    ]


def _database(folder: Path, settings: Settings) -> list[str]:
    lines = [
        "database mdb",
        f'suffix "{SUFFIX}"',
        f'rootdn "{ADMIN.dn}"',
        f'rootpw "{ADMIN.password}"',
        f'directory "{folder / "data"}"',
        f"maxsize {_MAX_BYTES}",
        "dbnosync",  # a killed process loses nothing by it; a machine without power would
        "index objectClass,entryUUID,uid eq",
        "index modifyTimestamp,entryCSN eq",
        f'limits dn.exact="{READER.dn}" size=unlimited time=unlimited',
        f'limits dn.exact="{LIMITED.dn}" size.soft={SIZE_LIMIT} size.hard={SIZE_LIMIT} size.prtotal=unlimited',
        f'limits dn.exact="{SMALL_PAGES.dn}" size=unlimited size.pr={PAGE_LIMIT}',
        "overlay syncprov",
    ]
    if settings.session_log:
        lines.append(f"syncprov-sessionlog {settings.session_log}")
    if settings.ppolicy:
        lines.append("overlay ppolicy")
    return lines


def _write_certificates(folder: Path, certificates: Certificates) -> None:
    key = folder / "server.key"
    key.touch(mode=0o600)
    key.write_text(certificates.key, encoding="ascii")
    (folder / "server.pem").write_text(certificates.certificate, encoding="ascii")
    (folder / "ca.pem").write_text(certificates.authority, encoding="ascii")
