from collections.abc import Callable
from typing import Any

import pytest
import yaml

from proxy.config.document import compose
from proxy.config.report import Report
from proxy.errors import ConfigurationError


def read(text: str, loader: Any = yaml.SafeLoader) -> dict[str, object]:
    report = Report("f")
    tree = compose(text, report, loader)
    if not report.clean:
        raise report.fail()
    return tree


def faults(text: str, loader: Any = yaml.SafeLoader) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read(text, loader)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("off", "off"),
        ("on", "on"),
        ("yes", "yes"),
        ("1:30", "1:30"),
        ("2026-01-01", "2026-01-01"),
        ("0123", "0123"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("12", 12),
        ("-1", -1),
        ("1.5", 1.5),
        ("1e3", "1e3"),
        (".inf", ".inf"),
        ("9" * 400, "9" * 400),
        ("true", True),
        ("False", False),
        ('"12"', "12"),
        ("'true'", "true"),
        ("!!str 12", "12"),
        ("! 12", "12"),
        ('""', ""),
        ("[]", []),
        ("{}", {}),
    ],
)
@pytest.mark.parametrize("loader", [yaml.SafeLoader, yaml.CSafeLoader])
def test_a_scalar_means_what_the_core_schema_says(written: str, value: object, loader: Any) -> None:
    found = read(f"a: {written}", loader)["a"]
    assert found == value
    assert type(found) is type(value)


def test_each_value_and_key_keeps_its_place() -> None:
    report = Report("f")
    compose("a:\n  b: [x, {c: y}]\n", report)
    assert (report.at(("a", "b", 1, "c")).line, report.at(("a", "b", 1, "c")).column) == (2, 14)
    assert (report.at_key(("a", "b")).line, report.at_key(("a", "b")).column) == (2, 3)
    assert report.at(("a", "b", 1, "not there")).column == 10


def test_places_count_characters_not_bytes() -> None:
    report = Report("f")
    compose("a: {é𝒳: 1, b: 2}\n", report)
    assert report.at_key(("a", "b")).column == 12


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "f:1:1: the file is empty"),
        ("# nothing\n", "f:1:1: the file is empty"),
        ("---\n", "f:2:1: the file is empty"),
        ("- a\n", "f:1:1: the file must be a mapping"),
        ("just words\n", "f:1:1: the file must be a mapping"),
        ("a:\n\tb: 1\n", "f:2:1: a tab can't indent YAML: use spaces"),
        ("a: {b: 1\n", "f:2:1: not valid YAML"),
        ("a: b: c\n", "f:1:5: not valid YAML"),
        ("a: 'b\n", "f:2:1: not valid YAML"),
        ("a: %b\n", "f:1:4: not valid YAML"),
        ("a: \x01\n", "f:1:4: a control character"),
        ("a: 1\n---\nb: 2\n", "f:2:1: a second document"),
        ("a: &x 1\nb: *x\n", "f:2:1: aliases (*name) are not read"),
        ("a: {<<: {b: 1}}\n", "f:1:5: merge keys (<<) are not read"),
        ("a: !secret b\n", "f:1:1: tags (!name) are not read"),
        ("a: !!int 3\n", "f:1:1: tags (!name) are not read"),
        ("[a, b]: c\n", "f:1:1: a key must be a plain word"),
        ("a:\nb: 1\n", "f:1:1: a value is missing"),
        ("a: [1, ~]\n", "f:1:8: a value is missing"),
        ("a: 1\nb: 2\na: 3\n", "f:3:1: this key stands twice: it is on line 1 already"),
        ("a:\na: 3\n", "f:2:1: this key stands twice"),
        ("a: " + "[" * 40 + "]" * 40 + "\n", "f:1:28: nested deeper than 24 levels"),
    ],
)
@pytest.mark.parametrize("loader", [yaml.SafeLoader, yaml.CSafeLoader])
def test_what_cannot_be_read_is_located_and_named(text: str, expected: str, loader: Any) -> None:
    found = faults(text, loader)
    assert any(fault.startswith(expected) for fault in found), found


def test_a_key_that_stands_twice_keeps_its_first_place() -> None:
    report = Report("f")
    assert compose("a: {b: 1}\na: {b: 2}\n", report) == {"a": {"b": 1}}
    assert report.at(("a", "b")).line == 1


def test_an_alias_that_holds_itself_ends() -> None:
    assert faults("a: &x [*x]\n")


def test_a_byte_order_mark_is_no_mistake(problems: Callable[[str], list[str]]) -> None:
    assert problems("\ufeffhold: 3s\n") == []
