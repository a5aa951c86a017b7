"""Source kind `csv`: one document with a header and a line for each person (RFC 4180)."""

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


class CsvSource(Strict):
    """A CSV document in a ConfigMap or a Secret."""

    rules: ClassVar[tuple[Rule, ...]] = (exactly_one("configMapRef", "secretRef"),)
    transitions: ClassVar[tuple[Transition, ...]] = (
        Transition(
            cel=f"(has(self.idColumn) ? self.idColumn : '{DEFAULT_ID_COLUMN}')"
            f" == (has(oldSelf.idColumn) ? oldSelf.idColumn : '{DEFAULT_ID_COLUMN}')",
            message="the id column can't be changed, because people would be taken for others:"
            " make another IdentitySource",
            field="idColumn",
        ),
    )

    config_map_ref: ConfigMapKeyRef | None = Field(
        default=None, description="The ConfigMap and its key that hold the document."
    )
    secret_ref: SecretKeyRef | None = Field(default=None, description="The Secret and its key that hold the document.")
    id_column: str = Field(
        default=DEFAULT_ID_COLUMN,
        min_length=1,
        max_length=256,
        description="Column with the id of a person, which is unique and never changes; objectId when absent."
        " Can't be changed afterwards.",
    )
    delimiter: Delimiter = Field(default=",", description="The character between two cells; a comma when absent.")

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

    file: str | None = Field(
        default=None,
        min_length=1,
        max_length=4096,
        description="Path of the document, relative to the manifest's directory.",
    )

    @property
    def document(self) -> CsvDocument:
        """Where the document is."""
        return super().document if self.file is None else self.file


CsvDocument: TypeAlias = ConfigMapKeyRef | SecretKeyRef | str
"""A key of an object, or (command line only) the path of a file."""
