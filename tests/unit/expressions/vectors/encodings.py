"""Vectors of the functions that write a text as the characters of an encoding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unit.expressions.vectors.vector import Vector

VECTORS: Mapping[str, Sequence[Vector]] = {
    "ConvertToBase64": [
        Vector('ConvertToBase64("Hello world!")', {}, "SABlAGwAbABvACAAdwBvAHIAbABkACEA"),
        Vector("ConvertToBase64([a])", {"a": "ä"}, "5AA="),
        Vector("ConvertToBase64([a])", {"a": "😀"}, "PdgA3g=="),
        Vector("ConvertToBase64([a])", {"a": "\ud800"}, "ANg="),
        Vector("ConvertToBase64([a])", {"a": ""}, ""),
        Vector("ConvertToBase64([a])", {}, None),
        Vector("ConvertToBase64([a])", {"a": True}, "VAByAHUAZQA="),
        Vector("ConvertToBase64([a])", {"a": "x" * 24_576}, "eAB4AHgA" * 8_192),
        Vector("ConvertToBase64([a])", {"a": "x" * 24_577}, error="ConvertToBase64: the result is longer than 64 KiB"),
    ],
    "ConvertToUTF8Hex": [
        Vector('ConvertToUTF8Hex("Hello world!")', {}, "48656C6C6F20776F726C6421"),
        Vector("ConvertToUTF8Hex([a])", {"a": "ä"}, "C3A4"),
        Vector("ConvertToUTF8Hex([a])", {"a": "😀"}, "F09F9880"),
        Vector("ConvertToUTF8Hex([a])", {"a": ""}, ""),
        Vector("ConvertToUTF8Hex([a])", {}, None),
        Vector("ConvertToUTF8Hex([a])", {"a": 7}, "37"),
        Vector("ConvertToUTF8Hex([a])", {"a": "x" * 32_768}, "78" * 32_768),
        Vector(
            "ConvertToUTF8Hex([a])", {"a": "ä" * 16_385}, error="ConvertToUTF8Hex: the result is longer than 64 KiB"
        ),
        Vector(
            "ConvertToUTF8Hex([a])",
            {"a": ("x", "y")},
            error="ConvertToUTF8Hex: [a] is multi-valued where a single value is needed",
        ),
    ],
}
