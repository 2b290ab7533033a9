"""The field tables of every interface the platform serves, per dialect.

They follow T/CEC 102.2 and 102.3 as collected from public implementations, with the additions of Beijing V1.1
§2.2 and the names and enumerations of the bonus order. What holds between fields is decided in `rules`.
"""

from __future__ import annotations

from collections.abc import Iterable

from infra.simulator.platform import dialect as names
from infra.simulator.platform.dialect import Dialect
from infra.simulator.platform.fields import Check, Field, Table, choice, fixed, moment, reading, rows, text, whole

MAX_PERIODS = 32
"""SumPeriod is 0–32 in the standard."""
MAX_CHECKED_ORDERS = 100_000
"""Orders in one check_charge_orders; the body limit of 1 MiB bites first."""

CONNECTOR_STATUS = choice(0, 1, 2, 3, 4, 255)  # 离网 空闲 占用(未充电) 占用(充电中) 占用(预约锁定) 故障
PARK_STATUS = choice(0, 10, 50)  # 未知 空闲 占用
LOCK_STATUS = choice(0, 10, 50)  # 未知 已解锁 已上锁
CHARGE_STAT = choice(1, 2, 3, 4, 5)  # 启动中 充电中 停止中 已结束 未知
CHARGING_CONNECTOR_STATUS = choice(1, 2, 3, 4, 255)
SUCCESS = choice(0, 1)
CUSTOM_REASON = whole(0, 99)  # the upper part of the range is the parties' own
CHARGE_MODEL = choice(0, 1, 2, 3)  # 未知 市级平台启动 有卡启动 其他无卡启动
SEQ = text(27)  # OperatorID (9) and 18 more; its inside is not judged


def optional(*fields: Field) -> Iterable[Field]:
    """The same lines, none of them mandatory."""
    return (Field(line.name, line.check, mandatory=False) for line in fields)


def dialect_table(dialect: Dialect, fields: Iterable[Field]) -> Table:
    """A table in the dialect's spelling, which tolerates the dialect's extra fields."""
    return Table(
        (Field(dialect.spell(line.name), line.check, line.mandatory) for line in fields),
        dialect.extra_fields,
    )


def connector_status(dialect: Dialect) -> Table:
    """T/CEC 102.2 ConnectorStatusInfo, pushed and asked for alike."""
    return dialect_table(
        dialect,
        [
            Field("ConnectorID", text(dialect.connector_id_max)),
            Field("Status", CONNECTOR_STATUS),
            *optional(Field("ParkStatus", PARK_STATUS), Field("LockStatus", LOCK_STATUS)),
        ],
    )


class Tables:
    """The tables of one dialect, by interface name; built once per platform."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._connector_id = text(dialect.connector_id_max)
        built = {
            names.QUERY_TOKEN: self._query_token(),
            names.STATION_STATUS: self._station_status(),
            names.START_RESULT: self._start_result(),
            names.CHARGE_STATUS: self._charge_status(),
            names.STOP_RESULT: self._stop_result(),
            names.ORDER: self._table(self._order()),
            names.BONUS_ORDER: self._bonus_order(),
            names.CHECK_ORDERS: self._check_orders(),
        }
        self.by_interface = {name: built[name] for name in names.INTERFACES if name in dialect.interfaces}

    def _table(self, fields: Iterable[Field]) -> Table:
        return dialect_table(self._dialect, fields)

    def _query_token(self) -> Table:
        """T/CEC 102.4 query_token: the caller names itself and proves it with its secret."""
        return self._table([Field("OperatorID", text(9)), Field("OperatorSecret", text(64))])

    def _station_status(self) -> Table:
        """T/CEC 102.2 notification_stationStatus: one connector per push; Beijing V1.1 §1.1.2."""
        return self._table([Field("ConnectorStatusInfo", connector_status(self._dialect).check)])

    def _start_result(self) -> Table:
        """T/CEC 102.3 notification_start_charge_result, with the additions seen with the same platform vendor."""
        return self._table(
            [
                *self._charge(),
                Field("StartTime", moment()),
                Field("IdentCode", text(32, empty=True), mandatory=False),
                Field("ChargeModel", CHARGE_MODEL, mandatory=self._dialect.start_complete),
                Field("Vin", text(17, empty=True), mandatory=self._dialect.start_complete),
            ]
        )

    def _charge_status(self) -> Table:
        """T/CEC 102.3 notification_equip_charge_status with 启动方式 of Beijing V1.1 §2.2.1.

        EndTime is the sampling time, not the end of the charge.
        """
        current, voltage = reading(), reading(0)
        return self._table(
            [
                *self._charge(),
                Field("ConnectorStatus", CHARGING_CONNECTOR_STATUS),
                Field("CurrentA", current),
                Field("VoltageA", voltage),
                Field("Soc", reading(0, 100)),
                Field("StartTime", moment()),
                Field("EndTime", moment()),
                Field("TotalPower", fixed(2)),
                Field("ChargeModel", CHARGE_MODEL, mandatory=self._dialect.charge_model),
                *optional(
                    Field("CurrentB", current),
                    Field("CurrentC", current),
                    Field("VoltageB", voltage),
                    Field("VoltageC", voltage),
                    Field("ElecMoney", fixed(2)),
                    Field("SeviceMoney", fixed(2)),
                    Field("TotalMoney", fixed(2)),
                    *self._periods(),
                ),
            ]
        )

    def _stop_result(self) -> Table:
        """T/CEC 102.3 notification_stop_charge_result; Beijing V1.1 §1.1.12."""
        return self._table(
            [*self._charge(), Field("SuccStat", SUCCESS), Field("FailReason", CUSTOM_REASON)],
        )

    def _order(self, complete: bool = False) -> list[Field]:
        """T/CEC 102.3 notification_charge_order_info; Beijing V1.1 §1.1.13."""
        split = [
            Field("TotalElecMoney", fixed(2)),
            Field("TotalSeviceMoney", fixed(2)),
            *self._periods(),
        ]
        return [
            Field("StartChargeSeq", SEQ),
            Field("ConnectorID", self._connector_id),
            Field("StartTime", moment()),
            Field("EndTime", moment()),
            Field("TotalPower", fixed(2)),
            Field("TotalMoney", fixed(2)),
            Field("StopReason", CUSTOM_REASON),
            *(split if complete else optional(*split)),
        ]

    def _bonus_order(self) -> Table:
        """The order for the operating subsidy: Beijing V1.1 §1.1.14 and §2.2.2."""
        return self._table(
            [
                *self._order(complete=self._dialect.bonus_complete),
                Field("ChargeModel", CHARGE_MODEL),
                Field("UserName", text(20, empty=True)),
                Field("StationID", text(20)),
                Field("EquipmentID", text(23)),
                Field("ConnectorPower", fixed(1)),
                Field("ChargeLast", whole()),
                Field("MeterValueStart", fixed(2)),
                Field("MeterValueEnd", fixed(2)),
            ]
        )

    def _check_orders(self) -> Table:
        """T/CEC 102.3 check_charge_orders; Beijing V1.1 §1.1.15."""
        order = self._table(
            [Field("StartChargeSeq", SEQ), Field("TotalPower", fixed(2)), Field("TotalMoney", fixed(2))]
        )
        return self._table(
            [
                Field("CheckOrderSeq", SEQ),
                Field("StartTime", moment()),
                Field("EndTime", moment()),
                Field("OrderCount", whole(0, MAX_CHECKED_ORDERS)),
                Field("TotalOrderPower", fixed(self._dialect.check_power_scale)),
                Field("TotalOrderMoney", fixed(2)),
                Field("ChargeOrders", rows(order, MAX_CHECKED_ORDERS)),
            ]
        )

    def _charge(self) -> list[Field]:
        return [
            Field("StartChargeSeq", SEQ),
            Field("StartChargeSeqStat", CHARGE_STAT),
            Field("ConnectorID", self._connector_id),
        ]

    def _periods(self) -> list[Field]:
        details: Check = rows(self._detail(), MAX_PERIODS)
        return [Field("SumPeriod", whole(0, MAX_PERIODS)), Field("ChargeDetails", details)]

    def _detail(self) -> Table:
        """T/CEC 102.3 ChargeDetail: one tariff period of a charge."""
        return self._table(
            [
                Field("DetailStartTime", moment()),
                Field("DetailEndTime", moment()),
                Field("DetailPower", fixed(self._dialect.detail_power_scale)),
                *optional(
                    Field("ElecPrice", fixed(4)),
                    Field("SevicePrice", fixed(4)),
                    Field("DetailElecMoney", fixed(2)),
                    Field("DetailSeviceMoney", fixed(2)),
                ),
            ]
        )
