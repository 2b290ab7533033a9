"""What the standard of 2016 says of its fields, of all interfaces together: decimals and lengths.

A platform's dialect may say otherwise of each.
"""

from collections.abc import Mapping

#: Decimals of every number that has any.
STANDARD_SCALES: Mapping[str, int] = {
    "CurrentA": 1,
    "CurrentB": 1,
    "CurrentC": 1,
    "VoltageA": 1,
    "VoltageB": 1,
    "VoltageC": 1,
    "Soc": 0,
    "TotalPower": 2,
    "ElecMoney": 2,
    "SeviceMoney": 2,
    "TotalMoney": 2,
    "ElecPrice": 4,
    "SevicePrice": 4,
    "DetailPower": 2,
    "DetailElecMoney": 2,
    "DetailSeviceMoney": 2,
    "TotalElecMoney": 2,
    "TotalSeviceMoney": 2,
    "ConnectorPower": 1,
    "MeterValueStart": 2,
    "MeterValueEnd": 2,
    "TotalOrderPower": 2,
    "TotalOrderMoney": 2,
    "StationLng": 6,
    "StationLat": 6,
    "EquipmentLng": 6,
    "EquipmentLat": 6,
    "Power": 1,
}

#: The longest text of each field in characters, and for SumPeriod the most tariff periods.
STANDARD_LENGTHS: Mapping[str, int] = {
    "StartChargeSeq": 27,
    "CheckOrderSeq": 27,
    "ConnectorID": 26,
    "EquipmentID": 23,
    "StationID": 20,
    "UserName": 20,
    "SumPeriod": 32,
    "OperatorID": 9,
    "EquipmentOwnerID": 9,
    "StationName": 50,
    "CountryCode": 2,
    "AreaCode": 20,
    "Address": 50,
    "StationTel": 30,
    "ServiceTel": 30,
    "SiteGuide": 100,
    "MatchCars": 100,
    "ParkInfo": 100,
    "BusineHours": 100,
    "ElectricityFee": 256,
    "ServiceFee": 100,
    "ParkFee": 100,
    "Payment": 20,
    "Remark": 100,
    "ManufacturerID": 9,
    "ManufacturerName": 30,
    "EquipmentModel": 20,
    "ProductionDate": 10,
    "EquipmentName": 30,
    "ConnectorName": 30,
    "ParkNo": 10,
}
