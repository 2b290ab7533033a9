"""What the standard dialect says of the records in `records.py`: the JSON on the wire, to the byte."""

DETAILS = (
    '"ChargeDetails":[{"DetailStartTime":"2020-04-07 10:30:00","DetailEndTime":"2020-04-07 11:00:00",'
    '"ElecPrice":0.9000,"SevicePrice":0.1000,"DetailPower":%s,"DetailElecMoney":%s,"DetailSeviceMoney":%s},'
    '{"DetailStartTime":"2020-04-07 11:00:00","DetailEndTime":"2020-04-07 11:30:00",'
    '"ElecPrice":0.9000,"SevicePrice":0.0500,"DetailPower":%s,"DetailElecMoney":%s,"DetailSeviceMoney":%s}]'
)

STATUS = (
    '{"ConnectorStatusInfo":{"ConnectorID":"11000000000000090000341000","Status":3,"ParkStatus":50,"LockStatus":10}}'
)

STARTED_WELL = (
    '{"StartChargeSeq":"MA7L4KFB0202004071030000001","StartChargeSeqStat":2,'
    '"ConnectorID":"11000000000000090000341000","StartTime":"2020-04-07 10:30:00","IdentCode":"1234"}'
)

PROGRESS = (
    '{"StartChargeSeq":"MA7L4KFB0202004071030000001","StartChargeSeqStat":2,'
    '"ConnectorID":"11000000000000090000341000","ConnectorStatus":3,'
    '"CurrentA":123.4,"CurrentB":0.1,"CurrentC":0.0,"VoltageA":380.0,"VoltageB":380.0,"VoltageC":0.0,"Soc":55,'
    '"StartTime":"2020-04-07 10:30:00","EndTime":"2020-04-07 11:30:00",'
    '"TotalPower":12.35,"ElecMoney":11.11,"SeviceMoney":0.90,"TotalMoney":12.01,"SumPeriod":2,'
    + DETAILS % ("6.17", "5.56", "0.62", "6.18", "5.55", "0.28")
    + ',"ChargeModel":1}'
)

STOPPED_WELL = (
    '{"StartChargeSeq":"MA7L4KFB0202004071030000001","StartChargeSeqStat":4,'
    '"ConnectorID":"11000000000000090000341000","SuccStat":0,"FailReason":0}'
)

_ORDER = (
    '{"StartChargeSeq":"MA7L4KFB0202004071030000001","ConnectorID":"11000000000000090000341000",'
    '"StartTime":"2020-04-07 10:30:00","EndTime":"2020-04-07 11:30:00",'
    '"TotalPower":12.34,"TotalElecMoney":11.10,"TotalSeviceMoney":0.90,"TotalMoney":12.00,"StopReason":0,'
    '"SumPeriod":2,' + DETAILS % ("6.00", "5.50", "0.50", "6.34", "5.60", "0.40")
)

ORDER = _ORDER + "}"

BONUS = (
    _ORDER + ',"ChargeModel":3,"UserName":"u1","StationID":"S1","EquipmentID":"E1","ConnectorPower":60.0,'
    '"ChargeLast":3600,"MeterValueStart":100.00,"MeterValueEnd":112.34}'
)

CHECK = (
    '{"CheckOrderSeq":"MA7L4KFB0202004080000000001","StartTime":"2020-04-07 00:00:00",'
    '"EndTime":"2020-04-07 23:59:59","OrderCount":2,"TotalOrderPower":12.44,"TotalOrderMoney":12.90,'
    '"ChargeOrders":[{"StartChargeSeq":"MA7L4KFB0202004071030000001","TotalPower":12.34,"TotalMoney":12.00},'
    '{"StartChargeSeq":"MA7L4KFB0X","TotalPower":0.10,"TotalMoney":0.90}]}'
)
