-- Where each connector is. One that moved is where its last sample came from.
CREATE OR REPLACE VIEW $database.connector_stations
(
    connector_id String COMMENT 'ConnectorID, no unit',
    equipment_id String COMMENT 'EquipmentID, no unit',
    station_id String COMMENT 'StationID, no unit',
    first_sample_at DateTime64(3, 'Asia/Shanghai') COMMENT 'First sample from anywhere, Beijing time, to the ms',
    last_sample_at DateTime64(3, 'Asia/Shanghai') COMMENT 'Last sample, Beijing time, to the ms'
)
AS SELECT
    c.connector_id AS connector_id,
    argMax(c.equipment_id, (c.last_at, c.station_id, c.equipment_id)) AS equipment_id,
    argMax(c.station_id, (c.last_at, c.station_id, c.equipment_id)) AS station_id,
    toTimeZone(min(c.first_at), 'Asia/Shanghai') AS first_sample_at,
    toTimeZone(max(c.last_at), 'Asia/Shanghai') AS last_sample_at
FROM $database.station_connectors AS c FINAL
GROUP BY c.connector_id
COMMENT 'All connectors that ever sent a sample, a row each';

CREATE OR REPLACE VIEW $database.samples
(
    connector_id String COMMENT 'ConnectorID, no unit',
    station_id String COMMENT 'StationID, no unit',
    day Date COMMENT 'Day of the sample, Beijing time',
    sampled_at DateTime64(3, 'Asia/Shanghai') COMMENT 'When the charger took the sample, Beijing time, to the ms',
    status Int32
        COMMENT 'Status of the connector, no unit: 0 offline, 1 idle, 2 plugged not charging, 3 charging, 4 reserved, 255 fault',
    start_charge_seq String COMMENT 'StartChargeSeq of the running charge, no unit: empty for none',
    meter_wh Int64 COMMENT 'Cumulative energy register of the connector, Wh',
    soc_pct Int32 COMMENT 'State of charge of the vehicle, percent: 0 if unknown',
    current_a Float32 COMMENT 'Phase A or DC output current, A',
    voltage_a Float32 COMMENT 'Phase A or DC output voltage, V'
)
AS SELECT
    connector_id,
    station_id,
    toDate(sampled_at, 'Asia/Shanghai') AS day,
    toTimeZone(sampled_at, 'Asia/Shanghai') AS sampled_at,
    status,
    start_charge_seq,
    meter_wh,
    soc_pct,
    current_a,
    voltage_a
FROM $database.telemetry FINAL
COMMENT 'Samples of the last 90 days, each once; ask for a connector or for hours: a day of all is large';
