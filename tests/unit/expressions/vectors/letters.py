"""Vectors of the functions that change letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unit.expressions.vectors.vector import Vector
from usher.core.model.resources import Value

MANY = ("s e c r e t!", "b")
SINGLE = " is multi-valued where a single value is needed"


def of(expression: str, value: Value | None, expected: Value | None) -> Vector:
    return Vector(expression, {} if value is None else {"x": value}, expected)


VECTORS: Mapping[str, Sequence[Vector]] = {
    "ToLower": [
        of("ToLower([x])", "John.Smith@Contoso.COM", "john.smith@contoso.com"),
        of("ToLower([x])", "STRASSE ÄÖÜ ΟΔΟΣ", "strasse äöü οδοσ"),
        of("ToLower([x])", "İI", "İi"),
        of("ToLower([x])", True, "true"),
        of("ToLower([x])", "", ""),
        of("ToLower([x])", None, None),
        of("ToLower([x], )", "A", "a"),
        of('ToLower([x], "en-US")', "TITLE I", "title i"),
        of('ToLower([x], "tr-TR")', "TITLE Iİ", "tıtle ıi"),
        of('ToLower([x], "AZ-Latn")', "I\u0307I", "iı"),
        of('ToLower([x], "trv")', "I", "i"),
        of("ToLower([x], [missing])", "I", "i"),
        Vector("ToLower([x])", {"x": MANY}, error="ToLower: [x]" + SINGLE),
        Vector("ToLower([x], [y])", {"x": "I", "y": MANY}, error="ToLower: [y]" + SINGLE),
        Vector("ToLower([x], [x])", {"x": "s e c r e t!"}, error="ToLower: [x] is no language tag"),
        Vector('ToLower([x], "-")', refused="the culture is no language tag (line 1, column 14"),
    ],
    "ToUpper": [
        of("ToUpper([x])", "John.Smith@contoso.com", "JOHN.SMITH@CONTOSO.COM"),
        of("ToUpper([x])", "straße äöü οδος", "STRAßE ÄÖÜ ΟΔΟΣ"),
        of("ToUpper([x])", "ıiſ", "ıIſ"),
        of("ToUpper([x])", "ŉ ﬁ ᾳ ǆ ÿ", "ŉ ﬁ ᾼ Ǆ Ÿ"),
        of("ToUpper([x])", False, "FALSE"),
        of("ToUpper([x])", "", ""),
        of("ToUpper([x])", None, None),
        of("ToUpper([x], )", "a", "A"),
        of('ToUpper([x], "en-US")', "title i", "TITLE I"),
        of('ToUpper([x], "tr-TR")', "tıtle i", "TITLE İ"),
        of('ToUpper([x], "az")', "i", "İ"),
        of("ToUpper([x], [missing])", "i", "I"),
        Vector("ToUpper([x])", {"x": MANY}, error="ToUpper: [x]" + SINGLE),
        Vector("ToUpper([x], [x])", {"x": "s e c r e t!"}, error="ToUpper: [x] is no language tag"),
        Vector('ToUpper([x], "turkish-")', refused="the culture is no language tag"),
    ],
    "PCase": [
        of("PCase([x])", "PABLO GONSALVES (SECOND)", "Pablo Gonsalves (Second)"),
        of('PCase([x], " \'-")', "PINTO-DE'SILVA", "Pinto-De'Silva"),
        Vector('PCase(Join(" ",[x],[y]))', {"x": "GREGORY", "y": "JAMES"}, "Gregory James"),
        of("PCase([x])", "PINTO-DE'SILVA o’neil", "Pinto-De'silva O’Neil"),
        of("PCase([x])", "'tis 2nd a1b_c.d\te", "'Tis 2Nd A1b_C.D\tE"),
        of('PCase([x], " ")', "2nd smith-jones 'tis", "2nd Smith-jones 'tis"),
        of("PCase([x])", "ǆ ßa", "ǅ ßa"),
        of("PCase([x], )", "ADA", "Ada"),
        of("PCase([x], [missing])", "ADA LOVELACE", "Ada Lovelace"),
        of("PCase([x])", "", ""),
        of("PCase([x])", None, None),
        of("PCase([x])", True, "True"),
        Vector("PCase([x])", {"x": MANY}, error="PCase: [x]" + SINGLE),
    ],
    "NormalizeDiacritics": [
        of("NormalizeDiacritics([x])", "Zoë", "Zoe"),
        of("NormalizeDiacritics([x])", "äàâãåáąăāā́ǟǡa̱å̄ ÄÀÂÃÅÁĄĂĀǞ", "a" * 14 + " " + "A" * 10),
        of("NormalizeDiacritics([x])", "æǣ ÆǢ ø ø̄ œ̄ œ Ø Œ̄ ß", "aeae AEAE oe oe oe oe OE OE ss"),
        of("NormalizeDiacritics([x])", "çčć ďḏ ěėḗ ğḡ ïîıī ľłḹ ñńň", "ccc dd eee gg iiii lll nnn"),
        of("NormalizeDiacritics([x])", "İŁĽ őõȫǭȱ řṝ šșş țť ůűǖṻ ÿýȳ źžżẕ", "ILL ooooo rr sss tt uuuu yyy zzzz"),
        of("NormalizeDiacritics([x])", "Zoe\u0308", "Zoe"),
        of("NormalizeDiacritics([x])", "Đặng Ħ ơ", "Dang H o"),
        of("NormalizeDiacritics([x])", "þ ð ", "þ ð "),
        of("NormalizeDiacritics([x])", "Андрей 김 नि", "Андрей 김 नि"),
        of("NormalizeDiacritics([x])", "plain", "plain"),
        of("NormalizeDiacritics([x])", "", ""),
        of("NormalizeDiacritics([x])", None, None),
        of("NormalizeDiacritics([x])", 7, "7"),
        Vector("NormalizeDiacritics([x])", {"x": MANY}, error="NormalizeDiacritics: [x]" + SINGLE),
    ],
}
