from __future__ import annotations

import pytest

from workflow.engines.bvlc.death import explain, fatal_words
from workflow.errors import DatabaseError, EnvironmentFault, ModelError, NetError, WorkflowError

PREFIX = "20261123 21:07:23.015956  5829"
CREATING = f"I{PREFIX} net.cpp:86] Creating Layer conv1"
FINISHED = f"I{PREFIX} net.cpp:257] Network initialization done."
TRACE = ["*** Check failure stack trace: ***", "    @     0x7f caffe::Net<>::Init()"]


def test_caffes_own_words_and_the_layer_that_was_made():
    unknown = (
        f"F{PREFIX} layer_factory.hpp:81] Check failed: registry.count(type) == 1 (0 vs. 1) Unknown layer type: Foo"
    )
    error = explain(-6, [CREATING, unknown, *TRACE], NetError)
    assert type(error) is NetError
    assert (
        error.message
        == "real Caffe reports: layer 'conv1': registry.count(type) == 1 (0 vs. 1) Unknown layer type: Foo"
    )


def test_no_layer_is_named_when_the_net_was_finished():
    shapes = f"F{PREFIX} net.cpp:759] Cannot copy param 0 weights from layer 'ip'; shape mismatch."
    error = explain(-6, [CREATING, FINISHED, shapes, *TRACE], ModelError)
    assert type(error) is ModelError
    assert error.message == "real Caffe reports: Cannot copy param 0 weights from layer 'ip'; shape mismatch."
    assert error.fault == "C02"


def test_the_parsers_complaint_is_told():
    lines = [
        "[libprotobuf ERROR /src/text_format.cc:322] Error parsing text-format caffe.NetParameter: 4:155",
        f"F{PREFIX} upgrade_proto.cpp:90] Check failed: ReadProtoFromTextFile(param_file, param) Failed to parse",
    ]
    assert "Error parsing text-format caffe.NetParameter: 4:155" in explain(-6, lines, NetError).message


def test_a_missing_database_is_one_whatever_was_asked():
    missing = f"F{PREFIX} db_lmdb.hpp:15] Check failed: mdb_status == 0 (2 vs. 0) No such file or directory"
    error = explain(-6, [missing], NetError)
    assert (type(error), error.fault) == (DatabaseError, "L01")


def test_an_old_failure_of_a_snapshot_is_not_the_cause():
    disk = f"F{PREFIX} io.cpp:75] Check failed: proto.SerializeToOstream(&output)"
    assert "killed by SIGKILL" in explain(-9, [disk, *TRACE], NetError).message
    policy = f"F{PREFIX} sgd_solver.cpp:67] Unknown learning rate policy: nonsense"
    assert explain(-6, [disk, *TRACE, policy], NetError).message.endswith("policy: nonsense")


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (-9, EnvironmentFault, "was killed by SIGKILL (out of memory?)"),
        (-11, EnvironmentFault, "was killed by SIGSEGV"),
        (-7, DatabaseError, "was killed by SIGBUS"),
        (-6, EnvironmentFault, "was killed by SIGABRT"),
        (-8, NetError, "was killed by SIGFPE, a division by zero"),
        (3, EnvironmentFault, "ended with status 3"),
    ],
)
def test_other_deaths(status, kind, words):
    error = explain(status, [], NetError)
    assert type(error) is kind
    assert words in error.message


def test_last_words_leave_out_the_stack():
    lines = [
        "a",
        "",
        "terminate called after throwing an instance of 'std::bad_alloc'",
        "  what():  std::bad_alloc",
        *TRACE,
    ]
    error = explain(-6, lines, WorkflowError)
    expected = (
        "its last words: a | terminate called after throwing an instance of 'std::bad_alloc' | what():  std::bad_alloc"
    )
    assert expected in error.message


def test_fatal_words():
    assert fatal_words([CREATING, f"F{PREFIX} io.cpp:75] Check failed: proto.SerializeToOstream(&output)"]) == (
        "proto.SerializeToOstream(&output)"
    )
    assert fatal_words([CREATING]) == ""
