"""What is an expression, and what is said, with a position, about what is none."""

from __future__ import annotations

import pytest

from usher.core.expressions.compile import compile_expression
from usher.core.expressions.errors import ExpressionError, Position
from usher.core.expressions.grammar import parse
from usher.core.expressions.syntax import Attribute, Call, Comparison, Empty, Keyword, Number, Operator, Text, render
from usher.testing.clock import fake_surroundings

P = Position(1, 1)


@pytest.mark.parametrize(
    ("source", "tree"),
    [
        ("Guid()", Call("Guid", (), P)),
        ("F(,)", Call("F", (Empty(P), Empty(P)), P)),
        ('Replace([x], "a", , , "b", , )', None),
        (r'F("say \"a\\b\"")', Call("F", (Text(r'say "a\b"', P),), P)),
        ("F(-10, 1.5, &HF, &hf7)", None),
        ("BitAnd(&HF, &HF7)", Call("BitAnd", (Number("&HF", 15, P), Number("&HF7", 247, P)), P)),
        ('InStr("a","e",3,vbBinaryCompare)', None),
        ('Word("a",3,vbX)', Call("Word", (Text("a", P), Number("3", 3, P), Keyword("vbX", P)), P)),
        (
            "F([urn:ietf:params:scim:x:2.0:User:a b])",
            Call("F", (Attribute("urn:ietf:params:scim:x:2.0:User:a b", P),), P),
        ),
        ("CBool([a] <> [b])", None),
        ("F([a]>=1)", Call("F", (Comparison(Attribute("a", P), Operator.GREATER_OR_EQUAL, Number("1", 1, P), P),), P)),
        ('\r\n F ( [a] ,\n\t"line\nbreak" ) ', Call("F", (Attribute("a", P), Text("line\nbreak", P)), P)),
    ],
)
def test_the_whole_grammar_is_read(source: str, tree: Call | None) -> None:
    parsed = parse(source)

    assert tree is None or parsed == tree
    assert parse(render(parsed)) == parsed


def test_nodes_know_where_they_stand() -> None:
    root = parse('F(\n  [a],,\n  G("b"))')

    assert [node.position for node in root.arguments] == [Position(2, 3), Position(2, 7), Position(3, 3)]


@pytest.mark.parametrize(
    ("source", "line", "column", "said"),
    [
        ("", 1, 1, "the expression is empty (line 1, column 1: expected a function)"),
        (" \n", 1, 1, "the expression is empty"),
        ("[mail]", 1, 1, "an attribute alone is not an expression: write `source: mail` instead"),
        ('"Berlin"', 1, 1, "a constant alone is not an expression"),
        ("12", 1, 1, "a constant alone is not an expression"),
        ("mail", 1, 1, "mail is neither a function with its parentheses nor an [attribute]"),
        ('[a]="b"', 1, 1, "a comparison stands only as the condition of a function"),
        ('Join("", [a)', 1, 10, "this attribute is never closed"),
        ('Join("", [])', 1, 10, "an attribute needs a name"),
        ('Join("", [ ])', 1, 10, "an attribute needs a name"),
        ('Join("", a])', 1, 11, "a ] without its ["),
        ('Join("", "a)', 1, 12 - 2, "this text is never closed"),
        ('Join("",\n "a\n\\d")', 3, 1, "a backslash in a text stands before a double quote or another backslash"),
        ('Join("" [a])', 1, 9, "unexpected [a] (line 1, column 9: expected a comma or a closing parenthesis)"),
        ('Join("", [a]', 1, 13, "the expression ends too early"),
        ('Join("",', 1, 9, 'an argument ([attribute], "text", number, function)'),
        ('Join("", [a]))', 1, 14, "a closing parenthesis too many"),
        ('IIF([a]="b" AND [c]="d","x","y")', 1, 13, "there is no operator AND: nest IIF functions instead"),
        ('IIF([a]=="b","x","y")', 1, 9, "a comparison has one value on each side"),
        ('IIF([a]!="b","x","y")', 1, 8, "not equal is written <>"),
        ("IIF([a]=\u201cb\u201d,[x],[y])", 1, 9, "a text stands in straight double quotes"),
        ("ToLower('x')", 1, 9, "a text stands in double quotes"),
        ("ToLower([a] & [b])", 1, 13, "texts are joined with Join"),
        ("ToLower(\u00a0[a])", 1, 9, "a no-break space"),
        ("ToLower([a]\x00)", 1, 12, "unexpected character U+0000"),
        ('ToLower("a\x07")', 1, 11, "unexpected character U+0007"),
        ("ToLower([a\nb])", 1, 11, "unexpected character U+000A"),
        ('ToLower("\ud800")', 1, 10, "unexpected character U+D800"),
        ("ToLower([a\ud800])", 1, 11, "unexpected character U+D800"),
        ("ToLower(\u2028[a])", 1, 9, "unexpected character U+2028 LINE SEPARATOR"),
        ("Größe([a])", 1, 3, "unexpected character ö"),
        ("F(1.)", 1, 4, "unexpected character ."),
        (f"F({'1' * 33})", 1, 3, "a number has at most 32 characters"),
        ("tolower([a])", 1, 1, "there is no function tolower, did you mean ToLower?"),
        ('Swtich([a], , "", "")', 1, 1, "there is no function Swtich, did you mean Switch?"),
        (
            'Join("", Quux())',
            1,
            10,
            "there is no function Quux (line 1, column 10: expected a function of docs",
        ),
        ("Switch([a])", 1, 1, "Switch can't have one argument (line 1, column 1: expected Switch(source,"),
        ('Switch([a], , "x")', 1, 1, "Switch can't have 3 arguments"),
        ('Switch([a], "x")', 1, 1, "Switch can't have 2 arguments"),
        ("Not()", 1, 1, "Not can't have no argument"),
        ("Not([a], [b])", 1, 1, "Not can't have 2 arguments"),
        ('Join("")', 1, 1, "Join can't have one argument"),
        ('IIF([a]="b", "c")', 1, 1, "IIF can't have 2 arguments"),
        ("Not(,)", 1, 1, "Not can't have 2 arguments"),
        ("Join(, [a])", 1, 6, 'Join: separator can\'t be left empty; an empty text is written ""'),
        ('Switch([a], , , "x")', 1, 15, "Switch: key can't be left empty"),
        ('Not([a]="b")', 1, 5, "Not: source can't be a comparison, only the condition of IIF or CBool can"),
        ("Not(vbTextCompare)", 1, 5, "vbTextCompare has no meaning here"),
        ('Not("yes")', 1, 1, "Not: a text is neither True nor False"),
        ('ToLower([a], "-")', 1, 14, "the culture is no language tag"),
        ("ToLower([a], 5)", 1, 14, "the culture is no language tag"),
        (f'ToLower([a], "{"ab-" * 40}cd")', 1, 14, "the culture is no language tag"),
    ],
)
def test_a_mistake_is_told_with_its_position(source: str, line: int, column: int, said: str) -> None:
    with pytest.raises(ExpressionError) as raised:
        compile_expression(source, fake_surroundings())

    assert said in str(raised.value)
    assert raised.value.position == Position(line, column)
    assert raised.value.reason == "ExpressionInvalid"


def nested(depth: int) -> str:
    return 'Join("", ' * depth + "[a]" + ")" * depth


@pytest.mark.parametrize(
    ("within", "beyond", "said"),
    [
        (nested(32), nested(33), "functions are nested more than 32 deep"),
        (f"Join({'[a],' * 498}[a])", f"Join({'[a],' * 499}[a])", "the expression has more than 500 parts"),
        ('Join("", "' + "x" * 9_988 + '")', 'Join("", "' + "x" * 9_989 + '")', "at most 10,000 characters"),
    ],
    ids=["depth", "parts", "length"],
)
def test_limits_hold_to_the_last_one(within: str, beyond: str, said: str) -> None:
    compile_expression(within, fake_surroundings())

    with pytest.raises(ExpressionError, match=said):
        compile_expression(beyond, fake_surroundings())


@pytest.mark.parametrize(
    "hostile",
    [
        "(" * 1_000_000,
        "F(" * 4_999,
        '"\\' * 4_999,
        "[" * 9_999,
        "F(" + "," * 9_990,
        "a=" * 4_999,
        "é" * 9_999,
        "\0" * 9_999,
    ],
)
def test_hostile_text_is_refused_quickly(hostile: str) -> None:
    with pytest.raises(ExpressionError) as raised:
        compile_expression(hostile, fake_surroundings())

    assert len(str(raised.value)) < 300


def test_an_error_can_be_located_in_its_object() -> None:
    with pytest.raises(ExpressionError) as raised:
        compile_expression("Not(", fake_surroundings())

    located = raised.value.located("AttributeMapping/users", "spec.attributes[3].expression")

    assert str(located) == f"AttributeMapping/users spec.attributes[3].expression: {raised.value}"
    assert (located.subject, located.path) == ("AttributeMapping/users", "spec.attributes[3].expression")
    assert located.position == raised.value.position


def test_the_attributes_of_an_expression_are_known() -> None:
    compiled = compile_expression('Switch([a], [b], "k", IIF([c]>[d], "x", Join("", [a], [e])))', fake_surroundings())

    assert compiled.attributes == {"a", "b", "c", "d", "e"}
