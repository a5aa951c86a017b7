"""Unit tests of mappings, run: what a mapping makes of a person, beside what was expected."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from random import Random
from typing import TypeAlias

from usher.api.v1alpha1.kinds import AttributeMapping
from usher.assembly.ends import SpecErrors
from usher.assembly.mappings import compile_mapping
from usher.cli.findings import Finding
from usher.cli.manifests import Manifests, Placed
from usher.cli.mapping_tests import Case
from usher.cli.mapping_tests import Placed as PlacedCases
from usher.cli.output import Block, Code, Heading
from usher.core.errors import ResourceError
from usher.core.expressions.signatures import Surroundings
from usher.core.model.plans import Desired
from usher.core.model.resources import AttributePath, Json, SourceId, SourceResource
from usher.core.scim.discovery import Discovery
from usher.core.scim.paths import parse_path
from usher.core.sync.mapping import map_resource
from usher.core.sync.references import wanted_by
from usher.core.sync.retyping import retype
from usher.core.sync.rules import CompiledMapping

Spot: TypeAlias = tuple[str, str]
"""Where a path leads, however it is spelled: the element, and the sub-attribute of it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A path whose value is not the expected one; None is no value."""

    path: str
    expected: Json
    got: Json


@dataclass(frozen=True, slots=True)
class Trial:
    """One test after its run. `problem` says what went wrong beside values, empty where nothing did."""

    name: str
    file: str
    mapping: str
    differences: tuple[Difference, ...] = ()
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Whether everything came as expected."""
        return not self.differences and not self.problem


@dataclass(slots=True)
class Trials:
    """Runs the tests of files on mappings as they are at this target. `findings` are of files that can't be run."""

    manifests: Manifests
    target: Discovery
    findings: list[Finding] = field(default_factory=list)
    results: list[Trial] = field(default_factory=list)

    def run(self, cases: PlacedCases) -> None:
        """All tests of one file."""
        meant = self._mapping_of(cases)
        if isinstance(meant, Finding):
            self.findings.append(meant)
            return
        content, name = cases.content, meant.object.metadata.name
        chance = Random()  # noqa: S311 - a test has to give the same each time
        domain = content.default_domain or self._domain_of(meant)
        surroundings = Surroundings(lambda: content.moment, chance, domain)
        try:
            compiled = compile_mapping(name, meant.object.spec, surroundings)
        except SpecErrors:
            problem = f"AttributeMapping/{name} has errors: its tests were not run"
            self.findings.append(Finding.error(problem, file=str(cases.file)))
            return
        mapping = retype(compiled, self.target.schema(compiled.resource_type)).mapping
        for index, case in enumerate(content.tests):
            chance.seed(content.seed)
            label = case.name or cases.place(index)
            self.results.append(_try(case, mapping, Trial(label, str(cases.file), f"AttributeMapping/{name}")))

    def _mapping_of(self, cases: PlacedCases) -> Placed[AttributeMapping] | Finding:
        mappings, name = self.manifests.mappings, cases.content.mapping
        meant = [key for key in mappings if name is None or name in (key, key.partition("/")[2])]
        if len(meant) == 1:
            return mappings[meant[0]]
        listed = ", ".join(sorted(meant or mappings)) or "none"
        if name is None:
            problem = "required, as there is not exactly one mapping"
        else:
            problem = f"{name} is in several namespaces" if meant else f"there is no AttributeMapping/{name}"
        return Finding.error(f"{problem}; there is: {listed}", file=str(cases.file), path="mapping")

    def _domain_of(self, mapping: Placed[AttributeMapping]) -> str:
        """That of the source from which a connector reads with this mapping, where all of them have the same."""
        name, namespace = mapping.object.metadata.name, mapping.object.metadata.namespace
        found = {
            source.object.spec.default_domain or ""
            for connector in self.manifests.connectors.values()
            if connector.object.metadata.namespace == namespace
            and any(named.name == name for named in connector.object.spec.mappings)
            and (source := self.manifests.sources.get(f"{namespace}/{connector.object.spec.source_ref.name}"))
        }
        return found.pop() if len(found) == 1 else ""


# --- one test -------------------------------------------------------------------------------------------------------


def _try(case: Case, mapping: CompiledMapping, blank: Trial) -> Trial:
    def ended(problem: str = "", differences: Iterable[Difference] = ()) -> Trial:
        return Trial(blank.name, blank.file, blank.mapping, tuple(differences), problem)

    if stranger := _stranger(case, mapping):
        return ended(stranger)
    resource = SourceResource(SourceId("test"), case.attributes)
    try:
        desired = map_resource(mapping, resource)
    except ResourceError as error:
        expected = case.error is not None and case.error in error.message
        return ended("" if expected else f"it fails: {error.message}")
    if case.error is not None:
        return ended(f"it was to fail with {json.dumps(case.error, ensure_ascii=False)}, and gave values")
    if case.create and not desired.active:
        return ended("nobody is created who is not active: leave out create, or expect an update")
    sent = {**_sent(desired, case), **(_referred(mapping, resource) if desired.active else {})}
    got = {_spot(path): (path, value) for path, value in sent.items()}
    return ended(differences=_compare(case, got))


def _stranger(case: Case, mapping: CompiledMapping) -> str:
    """What is said of an expected path for which the mapping has no line: mistyped, it would always have no value."""
    paths = [rule.target for rule in mapping.rules] + ([mapping.disable_path] if mapping.disable_path else [])
    known = {_spot(path): path for path in paths}
    for path in case.expected or ():
        if _spot(path) not in known:
            near = get_close_matches(path, paths, n=1)
            return f"it expects {path}, for which the mapping has no line" + (
                f"; did you mean {near[0]}?" if near else ""
            )
    return ""


def _sent(desired: Desired, case: Case) -> Mapping[AttributePath, Json]:
    """What a create sends, or an update of an account in which every value is another one.

    Of values that nobody may have yet it is the first, as if nobody had any.
    """
    besides = desired.besides
    if case.create is False or not desired.active:
        kept_up = {path: value for path, value in besides.withheld.items() if path in besides.seals}
        return {**dict.fromkeys(besides.cleared), **desired.values, **kept_up}
    chosen = {path: values[0] for path, values in besides.choices.items()}
    return {**besides.fill_empty, **besides.on_create, **chosen, **besides.withheld, **desired.values}


def _referred(mapping: CompiledMapping, resource: SourceResource) -> dict[AttributePath, Json]:
    """To whom it refers, by their ids at the source: nobody knows here which accounts they have."""
    wanted = wanted_by(mapping, resource)
    several = {reference.path for reference in mapping.references if reference.several}
    return {path: list[Json](ids) if path in several else ids[0] for path, ids in wanted.items() if ids}


def _compare(case: Case, got: Mapping[Spot, tuple[str, Json]]) -> Iterator[Difference]:
    expected = case.expected or {}
    for path, value in expected.items():
        _, found = got.get(_spot(path), ("", None))
        if not _same(value, found):
            yield Difference(path, value, found)
    if case.only:
        named = {_spot(path) for path in expected}
        others = (found for spot, found in got.items() if spot not in named)
        yield from (Difference(path, None, value) for path, value in others if value is not None)


def _spot(path: str) -> Spot:
    parsed = parse_path(AttributePath(path))
    return parsed.element, (parsed.sub or "").lower()


def _same(expected: Json, got: Json) -> bool:
    """Equal in type as well; the order of several values never counts (RFC 7643 2.4)."""
    if isinstance(expected, list) and isinstance(got, list):
        return sorted(map(_text, expected)) == sorted(map(_text, got))
    return isinstance(expected, bool) is isinstance(got, bool) and expected == got


# --- what came of it ------------------------------------------------------------------------------------------------


def data_of(trials: Sequence[Trial]) -> list[Json]:
    """The results for programs."""
    return [
        {
            "name": trial.name,
            "file": trial.file,
            "mapping": trial.mapping,
            "passed": trial.passed,
            "problem": trial.problem,
            "differences": [{"path": d.path, "expected": d.expected, "got": d.got} for d in trial.differences],
        }
        for trial in trials
    ]


def blocks_of(trials: Sequence[Trial]) -> list[Block]:
    """The results for people: counts, and a diff of each test that failed."""
    failed = [trial for trial in trials if not trial.passed]
    legend = " (- expected, + got)" if failed else ""
    heading = Heading(f"{len(trials)} tests: {len(trials) - len(failed)} passed, {len(failed)} failed{legend}")
    lines = [line for trial in failed for line in _lines(trial)]
    return [heading, Code(lines)] if lines else [heading]


def _lines(trial: Trial) -> Iterator[str]:
    yield f"! {trial.file}: {trial.mapping}: {trial.name}"
    if trial.problem:
        yield f"!   {trial.problem}"
    for difference in trial.differences:
        yield f"-   {difference.path}: {_text(difference.expected)}"
        yield f"+   {difference.path}: {_text(difference.got)}"


def _text(value: Json) -> str:
    return "no value" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)
