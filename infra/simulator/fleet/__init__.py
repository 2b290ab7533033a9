"""The operator's chargers and back office, simulated: telemetry and charge events out, commands in."""
