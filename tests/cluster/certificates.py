"""Certificates and kubeconfigs of a cluster, made by the openssl command: keys on P-256, valid for ten years."""

from __future__ import annotations

import json
import shutil
import subprocess
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cluster.places import ClusterError

_DAYS: Final = "3650"
_CA_CONFIG: Final = """\
[req]
distinguished_name = name
prompt = no
x509_extensions = extensions
[name]
CN = usher-test-ca
[extensions]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign,digitalSignature
subjectKeyIdentifier = hash
"""
_SERVER_NAMES: Final = "IP:127.0.0.1,IP:10.96.0.1,DNS:localhost,DNS:kubernetes.default.svc"


@dataclass(frozen=True, slots=True)
class Certificates:
    """The certificates in `folder`: `<name>.crt` and `<name>.key`, and the pair that signs service account tokens."""

    folder: Path

    def crt(self, name: str) -> Path:
        return self.folder / f"{name}.crt"

    def key(self, name: str) -> Path:
        return self.folder / f"{name}.key"

    @property
    def token_key(self) -> Path:
        return self.folder / "sa.pub"

    def create(self) -> None:
        """Makes all of them, or none when they are there already."""
        done = self.folder / "done"
        if done.exists():
            return
        if shutil.which("openssl") is None:
            raise ClusterError("Missing: openssl (`apt-get install openssl` or `brew install openssl`)")
        self._authority()
        self._leaf("apiserver", "/CN=kube-apiserver", "serverAuth", _SERVER_NAMES)
        self._leaf("admin", "/O=system:masters/CN=usher-test-admin", "clientAuth", "DNS:admin")
        self._new_key("sa")
        _openssl("ec", "-in", self.key("sa"), "-pubout", "-out", self.token_key)
        done.touch()

    def kubeconfig(self, user: str, server: str) -> str:
        """A kubeconfig for the holder of `<user>.crt`; JSON, which is YAML too."""
        return json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [
                    {
                        "name": "usher",
                        "cluster": {"server": server, "certificate-authority-data": _data(self.crt("ca"))},
                    }
                ],
                "users": [
                    {
                        "name": user,
                        "user": {
                            "client-certificate-data": _data(self.crt(user)),
                            "client-key-data": _data(self.key(user)),
                        },
                    }
                ],
                "contexts": [{"name": "usher", "context": {"cluster": "usher", "user": user}}],
                "current-context": "usher",
            },
            indent=1,
        )

    def _authority(self) -> None:
        config = self.folder / "ca.cnf"
        config.write_text(_CA_CONFIG, encoding="utf-8")
        self._new_key("ca")
        signed = ("-key", self.key("ca"), "-days", _DAYS, "-out", self.crt("ca"))
        _openssl("req", "-x509", "-new", "-sha256", "-config", config, *signed)

    def _leaf(self, name: str, subject: str, usage: str, names: str) -> None:
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        extensions.write_text(
            "basicConstraints = critical,CA:FALSE\nkeyUsage = critical,digitalSignature\n"
            f"extendedKeyUsage = {usage}\nsubjectAltName = {names}\n"
            "subjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid\n",
            encoding="utf-8",
        )
        self._new_key(name)
        _openssl(
            "req", "-new", "-config", self.folder / "ca.cnf", "-key", self.key(name), "-subj", subject, "-out", request
        )
        authority = ("-CA", self.crt("ca"), "-CAkey", self.key("ca"), "-CAcreateserial")
        output = ("-days", _DAYS, "-sha256", "-extfile", extensions, "-out", self.crt(name))
        _openssl("x509", "-req", "-in", request, *authority, *output)

    def _new_key(self, name: str) -> None:
        _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.key(name))


def _openssl(*arguments: str | Path) -> None:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ClusterError(f"openssl {arguments[0]} failed:\n{done.stderr.strip()[-1000:]}")


def _data(file: Path) -> str:
    return b64encode(file.read_bytes()).decode("ascii")
