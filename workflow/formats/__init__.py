"""Bytes <-> plain records: prototxt, caffemodel, solverstate, binaryproto, Datum, LMDB, labels, YAML."""
