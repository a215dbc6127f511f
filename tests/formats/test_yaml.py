from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.errors import ConfigError
from workflow.formats.yaml import locate, parse, positions, read


def failure(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse(text, "configs/default.yaml")
    assert caught.value.exit_code == 2
    return caught.value


def place(error: ConfigError) -> tuple[int, int, str]:
    return error.at.line, error.at.column, error.fault


def test_settings(text_file):
    path = text_file(
        "default.yaml",
        """# comment
images: [images, "more images"]
classes:
  - cat
  - "no"
preprocessing: {width: 32, fit: pad}
split:
  test: .2
train:
  threads:
  text: |
    two
    lines
""",
    )
    assert read(path) == {
        "images": ["images", "more images"],
        "classes": ["cat", "no"],
        "preprocessing": {"width": 32, "fit": "pad"},
        "split": {"test": 0.2},
        "train": {"threads": None, "text": "two\nlines\n"},
    }


def test_positions(text_file):
    path = text_file("default.yaml", "a: 1\nclasses: [cat,\n  dog]\ntrain:\n  engine: torch\n")
    assert {key: (at.line, at.column) for key, at in positions(path).items()} == {
        ("a",): (1, 1),
        ("classes",): (2, 1),
        ("classes", 0): (2, 11),
        ("classes", 1): (3, 3),
        ("train",): (4, 1),
        ("train", "engine"): (5, 3),
    }
    assert str(locate(path, ("train", "engine"))) == f"{path}:5:3"
    assert str(locate(path, ("train", "treads"))) == f"{path}:4:1"
    assert str(locate(path, ("nothing",))) == str(path)
    assert str(locate(path.parent / "none", ("a",))) == str(path.parent / "none")


def test_y01_missing_is_an_error_and_empty_is_not(tmp_path, text_file):
    with pytest.raises(ConfigError, match="config not found: .*prod.yaml") as caught:
        read(tmp_path / "prod.yaml")
    assert caught.value.fault == "Y01"
    for text in ("", "# nothing\n", "---\n", "~"):
        assert read(text_file("empty.yaml", text)) == {}


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a:\n  b:\n\t- 1", 3, 1, "tab used for indentation"),
        ("\ta: 1", 1, 1, "tab used for indentation"),
        ("a:\n  b: 1\n c: 2", 3, 2, "expected <block end>"),
        ("a: [1\nb: 2", 2, 2, "expected ',' or ']'"),
        ("a: 'x", 1, 6, "unexpected end of stream"),
        ("- 1", 1, 1, "expected 'key: value' lines"),
        ("words", 1, 1, "expected 'key: value' lines"),
        ("a: 1\n---\nb: 2", 2, 1, "a second document"),
    ],
)
def test_y02_tabs_and_indentation(text, line, column, message):
    error = failure(text)
    assert message in error.message
    assert place(error) == (line, column, "Y02")


def test_y03_a_misspelt_key_can_be_located(text_file):
    """The settings' own check finds the key; its line comes from here."""
    path = text_file("default.yaml", "a: 1\n\nlearning_rat: 0.1")
    assert str(locate(path, ("learning_rat",))) == f"{path}:3:1"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E5", 1e5),
        ("+.5", 0.5),
        ("1.", 1.0),
        ("-.inf", -math.inf),
        ("-1", -1),
        ("0", 0),
        ("0,01", "0,01"),
        ("1.2.3", "1.2.3"),
        ("1e", "1e"),
        ("true", True),
        ("TRUE", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("gen5", "gen5"),
        ("'010'", "010"),
        ("C:/x", "C:/x"),
        ("<<", "<<"),
        ("=", "="),
    ],
)
def test_y04_numbers_and_what_is_none(text, value):
    got = parse(f"a: {text}")["a"]
    assert got == value
    assert type(got) is type(value)


def test_y04_nan_is_left_to_the_settings_to_refuse():
    assert math.isnan(parse("a: .nan")["a"])


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("classes: [no, yes]", "classes[0]: got the boolean false", 'quote it: "no", or write false'),
        ("classes: [cat, On]", "classes[1]: got the boolean true", 'quote it: "On", or write true'),
        ("a: {b: 010}", "a.b: '010' is a number in a base", 'quote it: "010"'),
        ("a: 0x1F", "a: '0x1F' is a number in a base", 'quote it: "0x1F"'),
        ("a: 1_000", "a: '1_000' is a number in a base", 'quote it: "1_000"'),
        ("a: 12:30:45", "a: '12:30:45' is a number of base 60", 'quote it: "12:30:45"'),
        ("a: 2026-11-20", "a: '2026-11-20' is a date", 'quote it: "2026-11-20"'),
    ],
)
def test_y05_what_half_of_its_writers_mean_as_text(text, message, hint):
    error = failure(text)
    assert error.message.startswith(message)
    assert error.hint.startswith(hint)
    assert place(error) == (1, text.index(hint.split('"')[1]) + 1, "Y05")


@pytest.mark.parametrize("text", ["1: a", "~: a", "true: a", "? [a]\n: b", "? {a: b}\n: c"])
def test_y05_keys_are_text(text):
    assert failure(text).message == "a key must be text"


def test_y06_a_key_twice():
    error = failure("train:\n  batch: 1\n  x: 2\n  batch: 3")
    assert error.message == "'batch' given twice, first on line 2"
    assert place(error) == (4, 3, "Y06")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: !!python/object/apply:os.system [x]", "tag !!python/object/apply:os.system is not allowed"),
        ("a: !!str 1", "tag !!str is not allowed"),
        ("a: !mine 1", "tag !mine is not allowed"),
        ("a: &x 1", "anchor '&x' is not allowed"),
        ("a: {b: *x}", "alias '*x' is not allowed"),
        ("&x a: 1", "anchor '&x' is not allowed"),
        ("a: \x07", "character 0x7 is not allowed"),
    ],
)
def test_y07_clever_yaml(text, message):
    error = failure(text)
    assert error.message == message
    assert place(error) == (1, max(1, text.find(": ") + 3 if text[0] == "a" else 1) + 4 * ("{" in text), "Y07")


def test_y07_depth():
    assert parse("a: " + "[" * 19 + "]" * 19)
    for text in ("a: " + "[" * 20 + "]" * 20, "a: " + "[" * 100_000, "{a: " * 5000):
        assert "nests deeper than 20" in failure(text).message


def test_y07_size_and_encoding(text_file):
    with pytest.raises(ConfigError, match="at most 262144 are read"):
        read(text_file("large.yaml", b"#" * (256 * 1024 + 1)))
    with pytest.raises(ConfigError, match="not UTF-8") as caught:
        read(text_file("latin.yaml", b"a: 1\nb: caf\xe9"))
    assert (caught.value.at.line, caught.value.at.column, caught.value.fault) == (2, 7, "Y07")
    assert read(text_file("mark.yaml", b"\xef\xbb\xbfa: 1")) == {"a": 1}


texts = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=5)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(texts, plain, max_size=4))
def test_what_pyyaml_writes_is_read_back(settings):
    import yaml

    text = yaml.safe_dump(settings, allow_unicode=True)
    try:
        got = parse(text)
    except ConfigError as error:
        # PyYAML leaves some text unquoted that is ambiguous here, such as 08
        assert error.fault == "Y05", text  # noqa: PT017
    else:
        assert got == settings
