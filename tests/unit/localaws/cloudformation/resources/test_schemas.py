"""The resource types against the resource schemas that AWS publishes, as cfn-lint ships them."""


def test_properties_are_those_of_the_schema(types, schema):
    """What a type honours or ignores exists on AWS, is writable, and is not in both lists."""
    for name, kind in types.items():
        described = schema(name)
        assert kind.properties | set(kind.ignored) <= described.writable, name
        assert not kind.properties & set(kind.ignored), name
        assert described.required <= kind.properties, name


def test_replacement_follows_the_schema(types, schema):
    """A changed property makes a new resource exactly where it does on AWS."""
    for name, kind in types.items():
        always, sometimes = (
            schema(name).named(section) & kind.properties
            for section in ("createOnlyProperties", "conditionalCreateOnlyProperties")
        )
        assert always <= kind.replaces <= always | sometimes, name


def test_every_reason_to_ignore_is_a_sentence(types):
    """COVERAGE.md shows the reasons to users."""
    for kind in types.values():
        assert all(len(reason.split()) > 3 for reason in kind.ignored.values()), kind.type_name
