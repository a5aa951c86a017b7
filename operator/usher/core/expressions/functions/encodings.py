"""Functions that write a text as the characters of an encoding."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import Final

from usher.core.expressions.inputs import Evaluate, Input, check_size, map_text
from usher.core.expressions.signatures import Example, Function, Parameter, alone


def _build_base64(arguments: Sequence[Input]) -> Evaluate:
    """The text as base64 of its UTF-16 form, the low byte first and without a mark before it; null stays null."""

    def encode(text: str) -> str:
        check_size("ConvertToBase64", len(text) * 8 // 3)
        encoded = b64encode(text.encode("utf-16-le", "surrogatepass"))
        check_size("ConvertToBase64", len(encoded))
        return encoded.decode("ascii")

    return map_text(arguments[0], encode)


def _build_utf8_hex(arguments: Sequence[Input]) -> Evaluate:
    """The bytes of the text in UTF-8, each as two hexadecimal digits in upper case; null stays null."""

    def encode(text: str) -> str:
        check_size("ConvertToUTF8Hex", len(text) * 2)
        encoded = text.encode("utf-8", "surrogatepass")
        check_size("ConvertToUTF8Hex", len(encoded) * 2)
        return encoded.hex().upper()

    return map_text(arguments[0], encode)


FUNCTIONS: Final = (
    Function(
        "ConvertToBase64",
        (Parameter("source"),),
        (),
        alone(_build_base64),
        Example('ConvertToBase64("Hello world!")', "SABlAGwAbABvACAAdwBvAHIAbABkACEA", {}),
    ),
    Function(
        "ConvertToUTF8Hex",
        (Parameter("source"),),
        (),
        alone(_build_utf8_hex),
        Example('ConvertToUTF8Hex("Hello world!")', "48656C6C6F20776F726C6421", {}),
    ),
)
