"""The warehouse: ClickHouse, where records are kept for statistics, the nightly check and analysts."""
