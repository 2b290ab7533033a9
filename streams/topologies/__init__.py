"""Topologies: each file's `install(app, services)` wires one, and is found from this folder."""
