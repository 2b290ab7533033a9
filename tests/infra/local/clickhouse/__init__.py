"""Tests of the local ClickHouse."""
