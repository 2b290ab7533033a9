"""Records of one charge, complete in every field, for golden payloads."""

from dataclasses import replace
from decimal import Decimal

from connectors.interfaces.check_charge_orders import CheckedOrder, OrderCheck
from schemas.records.derived import (
    ChargeProgress,
    Order,
    OrderPeriod,
    ProgressKind,
    ProgressPeriod,
    StartResult,
    StatusChange,
    StatusChangeKind,
    StopResult,
)
from schemas.records.telemetry import Telemetry

SEQ = "MA7L4KFB0" + "202004071030000001"
CONNECTOR = "11000000000000090000341000"
STARTED = 1_586_226_600_000  # 2020-04-07 10:30:00 in Beijing
BOUNDARY = STARTED + 1_800_000
ENDED = STARTED + 3_600_999

STATUS = StatusChange(CONNECTOR, "E1", "S1", StatusChangeKind.CHANGED, 3, 50, 10, 2, STARTED)

SAMPLE = Telemetry(
    status=3,
    park_status=50,
    lock_status=10,
    start_charge_seq=SEQ,
    charge_model=1,
    sampled_at=ENDED,
    meter_wh=1_012_345,
    soc_pct=55,
    current_a=123.449,
    current_b=0.05,
    current_c=0.0,
    voltage_a=380.0,
    voltage_b=379.96,
    voltage_c=0.0,
    connector_id=CONNECTOR,
    equipment_id="E1",
    station_id="S1",
)

PROGRESS = ChargeProgress(
    start_charge_seq=SEQ,
    connector_id=CONNECTOR,
    station_id="S1",
    charge_model=1,
    started_at=STARTED,
    kind=ProgressKind.PERIODIC,
    due_at=ENDED,
    observed_at=ENDED,
    connector_status=3,
    energy_wh=12_345,
    elec_money_fen=1111,
    service_money_fen=90,
    periods=(
        ProgressPeriod(STARTED, BOUNDARY, 9000, 1000, 6_174, 556, 62),
        ProgressPeriod(BOUNDARY, ENDED, 9000, 500, 6_171, 555, 28),
    ),
    sample=SAMPLE,
)
STOPPED = replace(PROGRESS, kind=ProgressKind.STOPPED, connector_status=2)

STARTED_WELL = StartResult(SEQ, CONNECTOR, "S1", 1, True, 0, STARTED, "1234", "LVIN")
STARTED_NOT = replace(STARTED_WELL, succeeded=False, fail_reason=2)
STOPPED_WELL = StopResult(SEQ, CONNECTOR, "S1", 1, True, 0, ENDED)

ORDER = Order(
    start_charge_seq=SEQ,
    connector_id=CONNECTOR,
    equipment_id="E1",
    station_id="S1",
    charge_model=3,
    started_at=STARTED,
    ended_at=ENDED,
    energy_kwh=Decimal("12.34"),
    elec_money=Decimal("11.10"),
    service_money=Decimal("0.90"),
    total_money=Decimal("12.00"),
    stop_reason=0,
    periods=(
        OrderPeriod(STARTED, BOUNDARY, *map(Decimal, ("0.9000", "0.1000", "6.00", "5.50", "0.50"))),
        OrderPeriod(BOUNDARY, ENDED, *map(Decimal, ("0.9", "0.05", "6.34", "5.60", "0.4"))),
    ),
    user_name="u1",
    connector_power_kw=Decimal("60.0"),
    meter_start_kwh=Decimal("100.00"),
    meter_end_kwh=Decimal("112.34"),
    billed=True,
    flags=(),
)

CHECK = OrderCheck(
    "MA7L4KFB0" + "202004080000000001",
    1_586_188_800_000,
    1_586_275_199_000,
    (
        CheckedOrder(SEQ, Decimal("12.34"), Decimal("12.00")),
        CheckedOrder("MA7L4KFB0X", Decimal("0.1"), Decimal("0.90")),
    ),
)
