"""Whatever bytes a file holds, a reader returns or raises one of our errors: never another, never a warning."""

from __future__ import annotations

import pytest
from every_parser import READERS, attempt, valid_files
from hypothesis import given
from hypothesis import strategies as st

from workflow.errors import PrototxtError, WorkflowError
from workflow.formats import caffe_pb2, prototxt, yaml


@pytest.fixture(scope="module")
def valid(tmp_path_factory) -> dict[str, bytes]:
    """One valid file for each reader."""
    return valid_files(tmp_path_factory.mktemp("valid"))


changes = st.lists(
    st.tuples(
        st.floats(0, 1, exclude_max=True),
        st.integers(0, 4),
        st.binary(max_size=4) | st.sampled_from([b"\xff\xff\xff\xff", b"{{{{", b'"', b"\\", b"*a", b"\t", b"0_1"]),
    ),
    min_size=1,
    max_size=6,
)


def damaged(data: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    """At each place of the file so many bytes are taken away and others put in."""
    for place, taken, given_bytes in edits:
        at = int(place * len(data))
        data = data[:at] + given_bytes + data[at + taken :]
    return data


@pytest.mark.parametrize("name", READERS)
def test_valid_files_are_read(tmp_path, valid, name):
    assert attempt(READERS[name], tmp_path / "file", valid[name])


@pytest.mark.parametrize("name", READERS)
@given(edits=changes)
def test_damaged_files(tmp_path_factory, valid, name, edits):
    attempt(READERS[name], tmp_path_factory.getbasetemp() / "damaged", damaged(valid[name], edits))


@pytest.mark.parametrize("name", READERS)
@given(share=st.floats(0, 1, exclude_max=True))
def test_cut_files(tmp_path_factory, valid, name, share):
    data = valid[name]
    attempt(READERS[name], tmp_path_factory.getbasetemp() / "cut", data[: int(share * len(data))])


@pytest.mark.parametrize("name", READERS)
@given(data=st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_any_bytes(tmp_path_factory, name, data):
    attempt(READERS[name], tmp_path_factory.getbasetemp() / "any", data)


@given(st.text(st.sampled_from("ab{}<>[]:;,\"'\\#\n\t0178xu.-+_e é\x00"), max_size=40))
def test_any_prototxt(text):
    try:
        prototxt.parse(f'name: "x" {text}', caffe_pb2.LayerParameter)
    except PrototxtError as error:
        assert error.at.line >= 1  # noqa: PT017
        assert error.at.column >= 1  # noqa: PT017


@given(st.text(st.sampled_from("ab:-[]{},?&*!|>\"'%@`#\n\t \\Ux0179.~"), max_size=40))
def test_any_yaml(text):
    try:
        assert isinstance(yaml.parse(text), dict)
    except WorkflowError as error:
        assert error.fault.startswith("Y")  # noqa: PT017
