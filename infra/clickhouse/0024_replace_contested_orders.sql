-- Disputes with the order as it is known now. Codes of check_charge_orders are the standard's DisputeReason, those of
-- the orders' own interfaces are ConfirmResult.
CREATE OR REPLACE VIEW $database.contested_orders
(
    start_charge_seq String COMMENT 'StartChargeSeq, no unit',
    station_id String COMMENT 'StationID, no unit: empty if the order is not known',
    connector_id String COMMENT 'ConnectorID, no unit',
    platform LowCardinality(String) COMMENT 'Name of the platform, no unit',
    interface LowCardinality(String) COMMENT 'Interface whose answer says so, no unit',
    code Int32 COMMENT 'ConfirmResult, or DisputeReason of check_charge_orders, no unit',
    reason LowCardinality(String) COMMENT 'What the standard says of the code, no unit',
    day Date COMMENT 'Day on which it was contested, Beijing time',
    disputed_at DateTime64(3, 'Asia/Shanghai') COMMENT 'When the answer came, Beijing time, to the ms',
    reported_energy_kwh Decimal(14, 2) COMMENT 'Energy that was reported, kWh',
    reported_money Decimal(14, 2) COMMENT 'Money that was reported, CNY',
    ended_at Nullable(DateTime64(3, 'Asia/Shanghai'))
        COMMENT 'End of the charge, Beijing time, to the ms: null if the order is not known',
    energy_kwh Nullable(Decimal(14, 2)) COMMENT 'Energy of the order, kWh: null if it is not known',
    total_money Nullable(Decimal(14, 2)) COMMENT 'Money of the order, CNY: null if it is not known'
)
AS WITH
    known AS
    (
        SELECT
            start_charge_seq,
            station_id,
            toNullable(ended_at) AS ended_at,
            toNullable(energy_kwh) AS energy_kwh,
            toNullable(total_money) AS total_money
        FROM $database.charge_orders
        WHERE start_charge_seq GLOBAL IN (SELECT start_charge_seq FROM $database.disputes)
    )
SELECT
    d.start_charge_seq AS start_charge_seq,
    k.station_id AS station_id,
    d.connector_id AS connector_id,
    d.platform AS platform,
    d.interface AS interface,
    d.code AS code,
    if(
        d.interface = 'check_charge_orders',
        transform(
            d.code,
            [0, 1, 2, 3],
            ['not told', 'not known to the platform', 'money is wrong', 'energy is wrong'],
            'its own reason'),
        if(d.code = 1, 'contested', 'its own reason')) AS reason,
    toDate(d.disputed_at, 'Asia/Shanghai') AS day,
    toTimeZone(d.disputed_at, 'Asia/Shanghai') AS disputed_at,
    d.energy_kwh AS reported_energy_kwh,
    d.total_money AS reported_money,
    k.ended_at AS ended_at,
    k.energy_kwh AS energy_kwh,
    k.total_money AS total_money
FROM (SELECT * FROM $database.disputes FINAL) AS d
GLOBAL ANY LEFT JOIN known AS k ON d.start_charge_seq = k.start_charge_seq
COMMENT 'Orders that a platform contests, each time that it did';
