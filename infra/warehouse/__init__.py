"""The warehouse's tables: numbered SQL files, applied once each to a single ClickHouse or to a cluster of them."""
