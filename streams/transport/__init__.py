"""Faust over Kafka in chunks: one Faust message carries many records of one partition."""
