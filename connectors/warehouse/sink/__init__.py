"""The sink: what lies on the topics goes into the warehouse's tables, without being decoded."""
