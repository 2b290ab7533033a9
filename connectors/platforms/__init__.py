"""One TOML file per platform, named after it; a new file is a new platform. `connectors.platform` reads them."""
