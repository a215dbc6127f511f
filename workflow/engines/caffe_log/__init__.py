"""Caffe's log in both directions: parse a line (`parse`), and write the lines of an event (`Writer`).

A line is `LMMDD hh:mm:ss.uuuuuu TTTTT file.cpp:NUMBER] message`: level I, W, E or F, the thread's number at least five
wide. Newer glog writes YYYYMMDD; readers of such logs (Caffe's own parse_log.py) stop there, so only four digits are
written here. Numbers have six significant digits, as C++ streams print them: `2.30259`, `1e-05`, `nan`.

The templates are those of Caffe 1.0 (src/caffe/solver.cpp, sgd_solver.cpp, tools/caffe.cpp), checked against it.
"""

from __future__ import annotations

from workflow.engines.caffe_log.reading import Entry, Said, four_digits, parse, split
from workflow.engines.caffe_log.writing import Writer

__all__ = ["Entry", "Said", "Writer", "four_digits", "parse", "split"]
