"""Where it goes: the wire protocol, one file per platform interface, platform profiles, and delivery."""
