"""What is derived: pure rules in `domain`, Faust wiring in `topologies`, the chunked Kafka transport in `transport`."""
