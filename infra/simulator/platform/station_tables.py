"""The tables of a station, its equipment and its connectors, as T/CEC 102.2 query_stations_info tells of them."""

from __future__ import annotations

from infra.simulator.platform.dialect import Dialect
from infra.simulator.platform.errors import Kind
from infra.simulator.platform.fields import Check, Field, Table, choice, each, fixed, rows, text, whole
from infra.simulator.platform.tables import dialect_table, optional
from infra.simulator.platform.texts import day, matching, organisation

MAX_EQUIPMENTS = 2000
"""Chargers of one station; the largest stations there are have some hundreds."""
MAX_CONNECTORS = 100
"""Connectors of one charger; a split one feeds some dozens."""
MAX_PICTURES = 100
MAX_ADDRESS = 1024
"""Characters of a picture's address, which the standard does not limit."""

STATION_ID = text(20)
EQUIPMENT_ID = text(23)
AREA_CODE = matching(r"[0-9]{6,20}", "a code of GB/T 2260, 6 to 20 digits", Kind.LENGTH)
COUNTRY_CODE = matching("CN", "CN")
DEGREES = fixed(6)  # GCJ-02
KILOWATTS = fixed(1)

# 公共 个人 公交(专用) 环卫 物流 出租车 其他
STATION_TYPE = choice(1, 50, 100, 101, 102, 103, 255)
# 未知 建设中 关闭下线 维护中 正常使用
STATION_STATUS = choice(0, 1, 5, 6, 50)
# 居民区 公共机构 企事业单位 写字楼 工业园区 交通枢纽 大型文体设施 城市绿地 大型建筑配建停车场 路边停车位
# 城际高速服务区 其他
CONSTRUCTION = choice(*range(1, 12), 255)
SUPPORT_ORDER = choice(0, 1)
# 直流 交流 交直流一体 无线 其他
EQUIPMENT_TYPE = choice(1, 2, 3, 4, 5)
# 家用插座 交流接口插座 交流接口插头 直流接口枪头 无线充电座 其他
CONNECTOR_TYPE = choice(1, 2, 3, 4, 5, 6)
# 2011 2015
NATIONAL_STANDARD = choice(1, 2)


def _remark(longest: int) -> Check:
    return text(longest, empty=True)


def station_table(dialect: Dialect) -> Table:
    """T/CEC 102.2 StationInfo with all that belongs to it."""
    return dialect_table(
        dialect,
        [
            Field("StationID", STATION_ID),
            Field("OperatorID", organisation()),
            Field("EquipmentOwnerID", organisation()),
            Field("StationName", text(50)),
            Field("CountryCode", COUNTRY_CODE),
            Field("AreaCode", AREA_CODE),
            Field("Address", text(50)),
            Field("ServiceTel", text(30)),
            Field("StationType", STATION_TYPE),
            Field("StationStatus", STATION_STATUS),
            Field("ParkNums", whole()),
            Field("StationLng", DEGREES),
            Field("StationLat", DEGREES),
            Field("Construction", CONSTRUCTION),
            Field("ElectricityFee", _remark(256), mandatory=dialect.stations_complete),
            *optional(
                Field("StationTel", _remark(30)),
                Field("SiteGuide", _remark(100)),
                Field("Pictures", each(text(MAX_ADDRESS), MAX_PICTURES)),
                Field("MatchCars", _remark(100)),
                Field("ParkInfo", _remark(100)),
                Field("BusineHours", _remark(100)),
                Field("ServiceFee", _remark(100)),
                Field("ParkFee", _remark(100)),
                Field("Payment", _remark(20)),
                Field("SupportOrder", SUPPORT_ORDER),
                Field("Remark", _remark(100)),
            ),
            Field("EquipmentInfos", rows(_equipment(dialect), MAX_EQUIPMENTS)),
        ],
    )


def _equipment(dialect: Dialect) -> Table:
    """T/CEC 102.2 EquipmentInfo: one charger."""
    return dialect_table(
        dialect,
        [
            Field("EquipmentID", EQUIPMENT_ID),
            Field("ManufacturerID", organisation(), mandatory=dialect.stations_complete),
            Field("EquipmentType", EQUIPMENT_TYPE),
            Field("Power", KILOWATTS),
            *optional(
                Field("ManufacturerName", _remark(30)),
                Field("EquipmentModel", _remark(20)),
                Field("ProductionDate", day()),
                Field("EquipmentLng", DEGREES),
                Field("EquipmentLat", DEGREES),
                Field("EquipmentName", _remark(30)),
            ),
            Field("ConnectorInfos", rows(_connector(dialect), MAX_CONNECTORS)),
        ],
    )


def _connector(dialect: Dialect) -> Table:
    """T/CEC 102.2 ConnectorInfo: one plug or socket."""
    return dialect_table(
        dialect,
        [
            Field("ConnectorID", text(dialect.connector_id_max)),
            Field("ConnectorType", CONNECTOR_TYPE),
            Field("VoltageUpperLimits", whole()),
            Field("VoltageLowerLimits", whole()),
            Field("Current", whole()),
            Field("Power", KILOWATTS),
            Field("NationalStandard", NATIONAL_STANDARD),
            *optional(Field("ConnectorName", _remark(30)), Field("ParkNo", _remark(10))),
        ],
    )
