"""The ways to keep the result of a function that the cache benchmarks compare, ours among them.

Each is used as its documentation tells, with its defaults: serializer, time-outs, pool. They are
installed by `make bench` alone, and their settings live here.
"""
