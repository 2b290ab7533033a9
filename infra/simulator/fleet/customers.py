"""Who charges: how a charge was started, by whom, and in which vehicle. All invented."""

import random
from dataclasses import dataclass

from infra.simulator.fleet.charging_curve import BATTERY_WH
from schemas.values import ChargeModel

_MODELS = (ChargeModel.CITY_PLATFORM, ChargeModel.CARD, ChargeModel.OTHER, ChargeModel.UNKNOWN)
_MODEL_WEIGHTS = (25, 25, 45, 5)
_VIN_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
_SOC_AT_START = (0.08, 0.75)


@dataclass(frozen=True, slots=True)
class Visit:
    """One customer's visit: names may be empty, `soc` is 0 to 1 on arrival."""

    charge_model: int
    user_name: str
    ident_code: str
    vin: str
    battery_wh: int
    soc: float


def visit(is_dc: bool, rng: random.Random, charge_model: int | None = None) -> Visit:
    """The next customer. Only a DC charger learns the VIN; an unknown start mode means an unknown customer."""
    model = rng.choices(_MODELS, _MODEL_WEIGHTS)[0] if charge_model is None else charge_model
    known = model != ChargeModel.UNKNOWN
    vin = "L" + "".join(rng.choices(_VIN_LETTERS, k=10)) + f"{rng.randrange(1_000_000):06d}"
    return Visit(
        charge_model=int(model),
        user_name=f"用户{rng.randrange(100_000):05d}" if known else "",
        ident_code=f"{rng.randrange(10_000):04d}" if model == ChargeModel.CITY_PLATFORM else "",
        vin=vin if is_dc else "",
        battery_wh=rng.randint(*BATTERY_WH),
        soc=rng.uniform(*_SOC_AT_START),
    )
