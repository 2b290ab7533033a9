"""A ClickHouse on this machine: chDB in a process of its own, behind the part of ClickHouse's HTTP interface that
clients such as clickhouse-connect use. For development, demos and tests; production has a real cluster.
"""
