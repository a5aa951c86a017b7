"""A folder of manifests, and the command line run on it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from usher.cli.main import usher

MAPPING = """\
apiVersion: provisioning.usher.dev/v1alpha1
kind: AttributeMapping
metadata: {name: people}
spec:
  attributes:
    - {target: userName, source: userPrincipalName, match: 1}
    - {target: active, expression: 'Switch([IsSoftDeleted], , "False", "True", "True", "False")'}
    - {target: displayName, source: displayName}
    - {target: title, source: jobTitle}
"""
CONNECTOR = """\
apiVersion: provisioning.usher.dev/v1alpha1
kind: ProvisioningConnector
metadata: {name: NAME}
spec:
  sourceRef: {name: directory}
  target: {scim: {url: 'URL', auth: {bearer: {secretRef: {name: app, key: token}}}}}
  scope: {include: All}
  mappings: [{name: people}]
  safety: {accounts: {maxCount: 500, maxPercent: 10, minCount: 2}}
"""
SOURCE = """\
apiVersion: provisioning.usher.dev/v1alpha1
kind: IdentitySource
metadata: {name: directory}
spec: {minRetained: 80, csv: {file: people.csv}}
"""
SECRET = "{apiVersion: v1, kind: Secret, metadata: {name: app}, stringData: {token: let-me-in}}"
HEADER = "objectId,userPrincipalName,displayName,jobTitle"


def row(name: str, *, title: str = "Engineer") -> str:
    """The line of somebody whose id is `id-NAME`."""
    return f"id-{name},{name}@example.com,{name.title()},{title}"


@dataclass(frozen=True, slots=True)
class Folder:
    """Manifests for one app; what a test wants otherwise it writes over."""

    path: Path
    url: str
    extra: Sequence[str] = field(default=())

    def __post_init__(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        self.write("mapping.yaml", MAPPING)
        self.write("source.yaml", SOURCE)
        self.write("secret.yaml", SECRET)
        self.connector("people")

    def write(self, name: str, text: str) -> None:
        """One file of the folder."""
        (self.path / name).write_text(text, encoding="utf-8")

    def connector(self, name: str, *, url: str = "", change: tuple[str, str] = ("", "")) -> None:
        """A connector in a file of its name, with one text in it replaced by another."""
        text = CONNECTOR.replace("NAME", name).replace("URL", url or self.url)
        self.write(f"{name}.yaml", text.replace(*change) if change[0] else text)

    def change(self, name: str, old: str, new: str) -> None:
        """Replaces a text that has to be in the file."""
        text = (self.path / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def people(self, names: Sequence[str], *, title: str = "Engineer", more: Sequence[str] = ()) -> None:
        """These people are in the directory, and nobody else."""
        self.write("people.csv", "\n".join([HEADER, *(row(name, title=title) for name in names), *more]) + "\n")

    def run(self, command: str, *arguments: str) -> Result:
        """`usher COMMAND ... -f FOLDER`, in this process."""
        return CliRunner().invoke(usher, [command, *arguments, "-f", str(self.path), *self.extra])

    def sync(self, *arguments: str) -> Result:
        """`usher sync`."""
        return self.run("sync", *arguments)

    def data(self, command: str, *arguments: str) -> Any:
        """What the command says of the first connector, as JSON."""
        result = self.run(command, *arguments, "-o", "json")
        return json.loads(result.stdout)["connectors"][0]
