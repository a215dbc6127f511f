"""Databases of records in LMDB 0.9's format, which real Caffe reads; written durably, verified before opening."""

from workflow.formats.lmdb.reader import Reader
from workflow.formats.lmdb.verification import verify
from workflow.formats.lmdb.writer import MAX_KEY, VERSION, Writer

__all__ = ["MAX_KEY", "VERSION", "Reader", "Writer", "verify"]
