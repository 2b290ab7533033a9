"""What the gateway knows, in memory, from Kafka: stations, connectors, ended charges, commands."""
