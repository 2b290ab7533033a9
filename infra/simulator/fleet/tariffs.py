"""The tariffs that simulated stations charge by. How an order is priced by them is not decided here."""

from decimal import Decimal

from schemas.records.station import TariffPeriod

_HOUR_S = 3600


def _tariff(service_price: str, *periods: tuple[int, str]) -> tuple[TariffPeriod, ...]:
    service = Decimal(service_price)
    return tuple(TariffPeriod(hour * _HOUR_S, Decimal(price), service) for hour, price in periods)


_VALLEY, _FLAT, _PEAK, _SHARP = "0.3946", "0.6950", "1.0044", "1.2053"

#: Valley, flat and peak as most of the city's stations have them; it begins and ends the day in the valley.
THREE_PRICES = _tariff(
    "0.8000", (0, _VALLEY), (7, _FLAT), (10, _PEAK), (15, _FLAT), (18, _PEAK), (21, _FLAT), (23, _VALLEY)
)

#: With a sharp peak, and another service price.
FOUR_PRICES = _tariff(
    "0.6500",
    (0, _VALLEY),
    (7, _FLAT),
    (10, _PEAK),
    (11, _SHARP),
    (13, _PEAK),
    (15, _FLAT),
    (18, _PEAK),
    (22, _FLAT),
)

#: A boundary at every full hour, so that most charges cross one.
HOURLY = _tariff("0.4321", *((hour, f"{0.3333 + 0.0371 * (hour % 12):.4f}") for hour in range(24)))

#: One price all day.
ONE_PRICE = _tariff("0.5000", (0, "0.9999"))

NO_TARIFF: tuple[TariffPeriod, ...] = ()

TARIFFS = (THREE_PRICES, FOUR_PRICES, THREE_PRICES, HOURLY, THREE_PRICES, ONE_PRICE)
