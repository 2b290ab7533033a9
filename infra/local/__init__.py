"""A real Kafka broker on this machine: fetched, formatted, started and stopped from Python."""
