"""What netweave reaches, measured: one module a subject, results in ``reports/results``.

A benchmark is a module here with ``measure() -> dict``: its figures by name, each name ending in
its unit. ``python -m benchmarks`` runs all of them, or those named.
"""
