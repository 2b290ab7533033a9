"""Benchmarks: each prints one JSON line whose figures were measured in that run, to be read as ratios."""
