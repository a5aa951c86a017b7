"""The blocking half: nothing of the machine's configuration of libldap has a say in it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SHOW = """
import socket
import ldap
from usher.transport.ldap.client import Client
ours, theirs = socket.socketpair()
client = Client(theirs.detach())
names = ("OPT_SIZELIMIT", "OPT_TIMELIMIT", "OPT_DEREF", "OPT_REFERRALS", "OPT_PROTOCOL_VERSION")
print([client.get_option(getattr(ldap, name)) for name in names], ldap.get_option(ldap.OPT_SIZELIMIT))
client.forget()
"""


def test_limits_referrals_and_aliases_of_the_machine_do_not_count(tmp_path: Path) -> None:
    configuration = tmp_path / "ldap.conf"
    configuration.write_text("SIZELIMIT 3\nTIMELIMIT 1\nDEREF always\nREFERRALS on\n", encoding="ascii")
    operator = Path(__file__).parents[3] / "operator"
    environment = {**os.environ, "PYTHONPATH": str(operator), "LDAPCONF": str(configuration)}
    shown = subprocess.run([sys.executable, "-c", SHOW], capture_output=True, text=True, env=environment, check=True)

    assert shown.stdout.split() == ["[0,", "0,", "0,", "0,", "3]", "3"]
