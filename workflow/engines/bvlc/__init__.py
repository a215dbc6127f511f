"""The engine `caffe`: real BVLC Caffe 1.0 in a separate process, under its own Python.

engine.py    what the rest of wf sees           session.py   a net for forward passes
plan.py      a job, known before Caffe starts   training.py  a run, event by event
staging.py   snapshots, whole or not at all     log.py       Caffe's own log lines
process.py   the worker from outside            listener.py  what it prints
worker.py    the worker from inside             death.py     why it ended       python.py  where Caffe is
"""
