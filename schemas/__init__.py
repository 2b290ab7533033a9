"""What flows: topics, records, and the codec that turns one into the other's bytes."""
