"""Commands to chargers, on `charger-commands`. Instants are UTC milliseconds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StartCharge:
    """Start a charge; a charger must not obey after `expires_at`. `platform` is the name of the one that ordered it, ""
    if that is not known."""

    start_charge_seq: str
    connector_id: str
    charge_model: int
    qr_code: str
    issued_at: int
    expires_at: int
    platform: str = ""


@dataclass(frozen=True, slots=True)
class StopCharge:
    """Stop a charge."""

    start_charge_seq: str
    connector_id: str
    issued_at: int
