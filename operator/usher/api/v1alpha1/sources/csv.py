"""Source kind `csv`: a document with a header and a line for each person, and one for groups (RFC 4180)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, TypeAlias

from pydantic import Field

from usher.api.v1alpha1.references import ConfigMapKeyRef, SecretKeyRef
from usher.api.v1alpha1.rules import Matches, Rule, Strict, Transition, exactly_one

DEFAULT_ID_COLUMN: Final = "objectId"

Delimiter: TypeAlias = Annotated[
    str,
    Field(min_length=1, max_length=1),
    Matches(
        r"[^\x00-\x08\x0A-\x1F\x22\x7F]",
        "the delimiter is one printable character or a tab, and not a double quote",
    ),
]

LocalFile: TypeAlias = Annotated[str, Field(min_length=1, max_length=4096)]
CsvDocument: TypeAlias = ConfigMapKeyRef | SecretKeyRef | str
"""A key of an object, or (command line only) the path of a file."""


def _names_ids_of_its_own_document(groups: CsvGroups) -> bool:
    return groups.column is None or groups.id_column is None


class CsvGroups(Strict):
    """Where the groups are: in a column of the people's document, or in a document of their own."""

    rules: ClassVar[tuple[Rule, ...]] = (
        exactly_one("column", "configMapRef", "secretRef"),
        Rule(
            "!has(self.column) || !has(self.idColumn)",
            "idColumn is about a document of groups: by a column, a group's id is its name",
            _names_ids_of_its_own_document,
        ),
    )
    transitions: ClassVar[tuple[Transition, ...]] = (
        Transition(
            cel="has(self.column) == has(oldSelf.column)"
            f" && (has(self.idColumn) ? self.idColumn : '{DEFAULT_ID_COLUMN}')"
            f" == (has(oldSelf.idColumn) ? oldSelf.idColumn : '{DEFAULT_ID_COLUMN}')",
            message="what identifies a group can't be changed, because groups would be taken for others:"
            " make another IdentitySource",
            field="idColumn",
        ),
    )

    column: str | None = Field(
        default=None,
        min_length=1,
        max_length=256,
        description="Column of the people's document with the names of a person's groups. The name is the group's id.",
    )
    config_map_ref: ConfigMapKeyRef | None = Field(
        default=None, description="The ConfigMap and its key that hold the document of groups."
    )
    secret_ref: SecretKeyRef | None = Field(
        default=None, description="The Secret and its key that hold the document of groups."
    )
    id_column: str | None = Field(
        default=None,
        min_length=1,
        max_length=256,
        description="Column of the document of groups with the id of a group; objectId when absent. Can't be changed"
        " afterwards.",
    )
    delimiter: Delimiter = Field(
        default=";", description="The character between two groups, or two members, of a cell; a semicolon when absent."
    )

    @property
    def document(self) -> CsvDocument | None:
        """Where the document of groups is; None where they are in a column of the people's."""
        return self.config_map_ref or self.secret_ref


class LocalCsvGroups(CsvGroups):
    """What the command line takes as well: a file next to the manifest."""

    rules: ClassVar[tuple[Rule, ...]] = (
        exactly_one("column", "configMapRef", "secretRef", "file"),
        CsvGroups.rules[1],
    )

    file: LocalFile | None = Field(
        default=None, description="Path of the document of groups, relative to the manifest's directory."
    )

    @property
    def document(self) -> CsvDocument | None:
        """Where the document of groups is."""
        return super().document if self.file is None else self.file


class CsvSource(Strict):
    """A CSV document in a ConfigMap or a Secret."""

    rules: ClassVar[tuple[Rule, ...]] = (exactly_one("configMapRef", "secretRef"),)

    config_map_ref: ConfigMapKeyRef | None = Field(
        default=None, description="The ConfigMap and its key that hold the document."
    )
    secret_ref: SecretKeyRef | None = Field(default=None, description="The Secret and its key that hold the document.")
    id_column: str = Field(
        default=DEFAULT_ID_COLUMN,
        min_length=1,
        max_length=256,
        description="Column with the id of a person, which is unique and never changes; objectId when absent."
        " With another column everybody is matched anew, which somebody has to approve.",
    )
    delimiter: Delimiter = Field(default=",", description="The character between two cells; a comma when absent.")
    groups: CsvGroups | None = Field(default=None, description="Where the groups are; none are read when absent.")

    @property
    def document(self) -> CsvDocument:
        """Where the document is."""
        found = self.config_map_ref or self.secret_ref
        if found is None:
            raise ValueError("a CSV source without a document was built past its validation")
        return found


class LocalCsvSource(CsvSource):
    """What the command line takes as well: a file next to the manifest."""

    rules: ClassVar[tuple[Rule, ...]] = (exactly_one("configMapRef", "secretRef", "file"),)

    groups: LocalCsvGroups | None = Field(default=None, description="Where the groups are; none are read when absent.")
    file: LocalFile | None = Field(
        default=None, description="Path of the document, relative to the manifest's directory."
    )

    @property
    def document(self) -> CsvDocument:
        """Where the document is."""
        return super().document if self.file is None else self.file
