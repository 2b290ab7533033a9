"""Topics: one TOML file each, read by `schemas.topic`."""
