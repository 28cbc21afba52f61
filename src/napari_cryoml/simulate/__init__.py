"""Simulated data that demos, tests and benchmarks run on."""
