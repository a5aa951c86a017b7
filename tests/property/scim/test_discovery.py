"""Whatever a target says, a Discovery comes out of it that a cycle can work with."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from usher.core.model.resources import AttributePath, Json, ResourceType
from usher.core.scim.definitions import MAX_ATTRIBUTES
from usher.core.scim.discovery import MAX_COUNT, Documents, read_discovery
from usher.core.scim.paths import ENTERPRISE_URN, USER_URN
from usher.core.scim.schemas import AttributeType, Mutability
from usher.state.discovery_codec import decode_discovery, encode_discovery

NAMES = st.sampled_from(
    [
        *("Resources", "id", "attributes", "name", "type", "caseExact", "multiValued", "mutability", "uniqueness"),
        *("required", "subAttributes", "schema", "schemaExtensions", "endpoint", "patch", "bulk", "filter"),
        *("supported", "maxResults", "maxOperations"),
    ]
)
WORDS = st.sampled_from(
    [
        *(
            USER_URN,
            ENTERPRISE_URN,
            "urn:example:hr:User",
            "/Users",
            "User",
            "userName",
            "active",
            "password",
            "emails",
        ),
        *("name", "value", "string", "boolean", "integer", "complex", "readOnly", "readWrite", "true", "server", "x y"),
    ]
)
ATOMS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), WORDS, st.text(max_size=5))
JSON: st.SearchStrategy[Json] = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(NAMES, st.text(max_size=4)), inner, max_size=6)
    ),
    max_leaves=40,
)
ATTRIBUTES = st.fixed_dictionaries({"name": WORDS}, optional=dict.fromkeys(("type", "caseExact", "multiValued"), JSON))
SCHEMAS: st.SearchStrategy[Json] = st.lists(
    st.fixed_dictionaries(
        {
            "id": WORDS,
            "attributes": st.lists(
                st.one_of(
                    ATTRIBUTES,
                    st.tuples(ATTRIBUTES, st.lists(ATTRIBUTES, max_size=3)).map(
                        lambda pair: {**pair[0], "type": "complex", "subAttributes": pair[1]}
                    ),
                ),
                max_size=6,
            ),
        }
    ),
    max_size=4,
)
DOCUMENTS = st.builds(Documents, JSON, JSON, st.one_of(JSON, SCHEMAS))


@settings(deadline=None)  # building documents takes its time on a busy machine
@given(DOCUMENTS)
def test_any_json_gives_a_discovery_that_keeps_the_rules(documents: Documents) -> None:
    discovery = read_discovery(documents)
    schema = discovery.schema(ResourceType.USER)

    active, password = (schema.definition(AttributePath(name)) for name in ("active", "password"))
    assert active is not None
    assert (active.type, active.multi_valued) == (AttributeType.BOOLEAN, False)
    assert password is not None
    assert password.mutability is Mutability.WRITE_ONLY
    for path in ("userName", "externalId", "displayName", "name.givenName", 'emails[type eq "work"].value'):
        found = schema.definition(AttributePath(path))
        assert found is not None
        assert found.type is not AttributeType.COMPLEX
    assert len(discovery.attributes) <= MAX_ATTRIBUTES
    assert discovery.max_results is None or 1 <= discovery.max_results <= MAX_COUNT
    assert decode_discovery(encode_discovery(discovery)) == discovery
