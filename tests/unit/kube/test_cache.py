"""The cache: what is new, what is old, and who names whom."""

from __future__ import annotations

from typing import Any

from unit.kube.fake_cluster import connector_spec, mapping_spec, source_spec
from usher.kube.cache import Cache, Change
from usher.kube.objects import Kind, ObjectKey


def document(name: str, spec: dict[str, Any] | None = None, version: str = "1", **metadata: Any) -> dict[str, Any]:
    head = {"namespace": "identity", "name": name, "resourceVersion": version, "generation": 1, **metadata}
    return {"metadata": head, "spec": spec}


def key(kind: Kind, name: str) -> ObjectKey:
    return ObjectKey(kind, "identity", name)


def test_an_older_state_does_not_replace_a_newer_one() -> None:
    cache = Cache()
    cache.put(Kind.MAPPING, document("people", version="10", generation=2))

    assert cache.put(Kind.MAPPING, document("people", version="9")) is Change.NOTHING
    found = cache.get(key(Kind.MAPPING, "people"))
    assert found is not None
    assert found["metadata"]["generation"] == 2


def test_a_status_is_told_apart_from_a_spec_and_from_an_annotation() -> None:
    cache = Cache()
    assert cache.put(Kind.SOURCE, document("corp")) is Change.MATERIAL
    assert cache.put(Kind.SOURCE, document("corp", version="2")) is Change.STATUS
    assert cache.put(Kind.SOURCE, document("corp", version="3", annotations={"a": "b"})) is Change.MATERIAL
    assert (
        cache.put(Kind.SOURCE, document("corp", version="4", annotations={"a": "b"}, generation=2)) is Change.MATERIAL
    )


def test_of_a_config_map_no_data_is_kept() -> None:
    cache = Cache()

    cache.put(Kind.CONFIG_MAP, {**document("people"), "data": {"people.csv": "alice"}})

    assert "alice" not in str(cache.get(key(Kind.CONFIG_MAP, "people")))


def test_referrers_are_those_beside_it_that_name_it() -> None:
    cache = Cache()
    authority = {"kind": "ConfigMap", "name": "ca", "key": "ca.crt"}
    spec = connector_spec()
    spec["target"]["scim"]["tls"] = {"caRef": authority}
    cache.put(Kind.SOURCE, document("corp", source_spec()))
    cache.put(Kind.MAPPING, document("people", mapping_spec()))
    cache.put(Kind.CONNECTOR, document("app", spec))
    cache.put(Kind.CONNECTOR, document("app", connector_spec(), namespace="other"))

    app, corp = key(Kind.CONNECTOR, "app"), key(Kind.SOURCE, "corp")
    assert cache.referrers(corp) == [app]
    assert cache.referrers(key(Kind.MAPPING, "people")) == [app]
    assert cache.referrers(key(Kind.CONFIG_MAP, "ca")) == [app]
    assert cache.referrers(key(Kind.CONFIG_MAP, "people")) == [corp]
    assert cache.referrers(key(Kind.CONFIG_MAP, "other")) == []


def test_a_document_of_groups_that_changes_is_another_text_as_that_of_people_is() -> None:
    cache = Cache()
    spec = source_spec()
    spec["csv"]["groups"] = {"configMapRef": {"name": "groups", "key": "groups.csv"}}
    cache.put(Kind.SOURCE, document("corp", spec))
    seen = [cache.versions_named(key(Kind.SOURCE, "corp"))]
    for name in ("people", "groups"):
        cache.put(Kind.CONFIG_MAP, document(name, version="7"))
        assert cache.referrers(key(Kind.CONFIG_MAP, name)) == [key(Kind.SOURCE, "corp")]
        seen.append(cache.versions_named(key(Kind.SOURCE, "corp")))

    assert len(set(seen)) == 3


def test_a_spec_of_any_shape_names_nobody_rather_than_failing() -> None:
    cache = Cache()
    specs: list[Any] = [None, [], {"sourceRef": 5, "mappings": {"name": "x"}}, {"mappings": [None, 1]}]
    for number, spec in enumerate(specs):
        cache.put(Kind.CONNECTOR, document(f"app{number}", spec))

    assert cache.referrers(key(Kind.SOURCE, "corp")) == []
