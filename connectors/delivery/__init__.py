"""Delivery: derived records from Kafka to a platform, in order, until they are confirmed."""
