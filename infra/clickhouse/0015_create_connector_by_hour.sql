-- What happened at each connector and station, by hour and by day of Beijing: electricity by the register, the charges
-- that ended and their money, and how long each status held. A charge and all its money belong to the hour of its end,
-- while its electricity and its time lie where they were: over many hours they agree, of single ones they need not.
--
-- Electricity belongs to the station where its connector is now; charges and statuses to where they were. An hour in
-- which nothing is known of a connector has no row.
CREATE OR REPLACE VIEW $database.connector_by_hour
(
    station_id String COMMENT 'StationID, no unit',
    connector_id String COMMENT 'ConnectorID, no unit',
    hour DateTime('Asia/Shanghai') COMMENT 'Beginning of the hour, Beijing time',
    energy_kwh Decimal(18, 3) COMMENT 'Electricity given, by the register, kWh',
    charges UInt64 COMMENT 'Charges that ended, counted from 0',
    order_energy_kwh Decimal(18, 2) COMMENT 'Energy of their orders, kWh',
    elec_money Decimal(18, 2) COMMENT 'Their money for electricity, CNY',
    service_money Decimal(18, 2) COMMENT 'Their money for service, CNY',
    total_money Decimal(18, 2) COMMENT 'Their money in all, CNY',
    charging_s Decimal(18, 3) COMMENT 'Time in status 3, charging, s',
    plugged_s Decimal(18, 3) COMMENT 'Time in status 2, plugged not charging, s',
    reserved_s Decimal(18, 3) COMMENT 'Time in status 4, reserved, s',
    idle_s Decimal(18, 3) COMMENT 'Time in status 1, idle, s',
    fault_s Decimal(18, 3) COMMENT 'Time in status 255, fault, s',
    offline_s Decimal(18, 3) COMMENT 'Time in status 0, offline, s',
    unknown_s Decimal(18, 3) COMMENT 'Time of which no status is known, s: of today, up to now',
    charging_share Nullable(Float64) COMMENT 'Charging time by known time, no unit, 0 to 1: null if nothing is known',
    occupied_share Nullable(Float64)
        COMMENT 'Charging, plugged and reserved time by known time, no unit, 0 to 1: null if nothing is known',
    available_share Nullable(Float64)
        COMMENT 'Time neither offline nor in fault by known time, no unit, 0 to 1: null if nothing is known'
)
AS WITH
    toDateTime64({first_day:Date}, 3, 'Asia/Shanghai') AS since,
    toDateTime64({last_day:Date} + 1, 3, 'Asia/Shanghai') AS until,
    places AS
    (
        SELECT connector_id, station_id FROM $database.connector_stations
        WHERE {station_id:String} = '' OR station_id = {station_id:String}
    ),
    given AS
    (
        SELECT places.station_id AS station_id, electric.connector_id AS connector_id, hour, energy_kwh
        FROM (
            SELECT connector_id, hour, energy_kwh
            FROM $database.electricity_hours(
                station_id = {station_id:String}, first_day = {first_day:Date}, last_day = {last_day:Date})
        ) AS electric
        GLOBAL INNER JOIN places ON places.connector_id = electric.connector_id
    ),
    ended AS
    (
        SELECT
            station_id,
            connector_id,
            toDateTime(toStartOfHour(ended_at), 'Asia/Shanghai') AS hour,
            count() AS charges,
            sum(energy_kwh) AS order_energy_kwh,
            sum(elec_money) AS elec_money,
            sum(service_money) AS service_money,
            sum(total_money) AS total_money
        FROM $database.charge_orders
        WHERE ({station_id:String} = '' OR station_id = {station_id:String}) AND ended_at >= since AND ended_at < until
        GROUP BY station_id, connector_id, hour
    ),
    held AS
    (
        SELECT
            station_id,
            connector_id,
            toDateTime(n * 3600, 'Asia/Shanghai') AS hour,
            status,
            toDecimal64(least(to_ms, (n + 1) * 3600000) - greatest(from_ms, n * 3600000), 3) / 1000 AS s
        FROM (
            SELECT *, toUnixTimestamp64Milli(started_at) AS from_ms, toUnixTimestamp64Milli(ended_at) AS to_ms
            FROM $database.status_intervals(
                station_id = {station_id:String}, first_day = {first_day:Date}, last_day = {last_day:Date})
        )
        ARRAY JOIN range(intDiv(from_ms, 3600000), intDiv(to_ms - 1, 3600000) + 1) AS n
    ),
    parts AS
    (
        SELECT station_id, connector_id, hour, energy_kwh,
            0 AS charges, 0 AS order_energy_kwh, 0 AS elec_money, 0 AS service_money, 0 AS total_money,
            0 AS charging_s, 0 AS plugged_s, 0 AS reserved_s, 0 AS idle_s, 0 AS fault_s, 0 AS offline_s
        FROM given
        UNION ALL
        SELECT station_id, connector_id, hour, 0,
            charges, order_energy_kwh, elec_money, service_money, total_money, 0, 0, 0, 0, 0, 0
        FROM ended
        UNION ALL
        SELECT station_id, connector_id, hour, 0, 0, 0, 0, 0, 0,
            if(status = 3, s, 0), if(status = 2, s, 0), if(status = 4, s, 0),
            if(status = 1, s, 0), if(status = 255, s, 0), if(status = 0, s, 0)
        FROM held
    ),
    charging_s + plugged_s + reserved_s + idle_s + fault_s + offline_s AS known_s,
    toDecimal64(greatest(0, least(3600000, dateDiff('ms', p.hour, now64(3)))), 3)
        / 1000 AS elapsed_s
SELECT
    p.station_id AS station_id,
    p.connector_id AS connector_id,
    p.hour AS hour,
    sum(p.energy_kwh) AS energy_kwh,
    sum(p.charges) AS charges,
    sum(p.order_energy_kwh) AS order_energy_kwh,
    sum(p.elec_money) AS elec_money,
    sum(p.service_money) AS service_money,
    sum(p.total_money) AS total_money,
    sum(p.charging_s) AS charging_s,
    sum(p.plugged_s) AS plugged_s,
    sum(p.reserved_s) AS reserved_s,
    sum(p.idle_s) AS idle_s,
    sum(p.fault_s) AS fault_s,
    sum(p.offline_s) AS offline_s,
    greatest(elapsed_s - known_s, toDecimal64(0, 3)) AS unknown_s,
    toFloat64(charging_s) / nullIf(toFloat64(known_s), 0) AS charging_share,
    toFloat64(charging_s + plugged_s + reserved_s) / nullIf(toFloat64(known_s), 0) AS occupied_share,
    toFloat64(charging_s + plugged_s + reserved_s + idle_s) / nullIf(toFloat64(known_s), 0) AS available_share
FROM parts AS p
GROUP BY p.station_id, p.connector_id, p.hour
COMMENT 'connector_by_hour(station_id, first_day, last_day): a row a connector and hour; '''' means all stations';

CREATE OR REPLACE VIEW $database.connector_by_day
(
    station_id String COMMENT 'StationID, no unit',
    connector_id String COMMENT 'ConnectorID, no unit',
    day Date COMMENT 'Day, Beijing time',
    energy_kwh Decimal(18, 3) COMMENT 'Electricity given, by the register, kWh',
    charges UInt64 COMMENT 'Charges that ended, counted from 0',
    order_energy_kwh Decimal(18, 2) COMMENT 'Energy of their orders, kWh',
    elec_money Decimal(18, 2) COMMENT 'Their money for electricity, CNY',
    service_money Decimal(18, 2) COMMENT 'Their money for service, CNY',
    total_money Decimal(18, 2) COMMENT 'Their money in all, CNY',
    charging_s Decimal(18, 3) COMMENT 'Time in status 3, charging, s',
    plugged_s Decimal(18, 3) COMMENT 'Time in status 2, plugged not charging, s',
    reserved_s Decimal(18, 3) COMMENT 'Time in status 4, reserved, s',
    idle_s Decimal(18, 3) COMMENT 'Time in status 1, idle, s',
    fault_s Decimal(18, 3) COMMENT 'Time in status 255, fault, s',
    offline_s Decimal(18, 3) COMMENT 'Time in status 0, offline, s',
    unknown_s Decimal(18, 3) COMMENT 'Time of which no status is known, s: of today, up to now',
    charging_share Nullable(Float64) COMMENT 'Charging time by known time, no unit, 0 to 1: null if nothing is known',
    occupied_share Nullable(Float64)
        COMMENT 'Charging, plugged and reserved time by known time, no unit, 0 to 1: null if nothing is known',
    available_share Nullable(Float64)
        COMMENT 'Time neither offline nor in fault by known time, no unit, 0 to 1: null if nothing is known'
)
AS WITH
    charging_s + plugged_s + reserved_s + idle_s + fault_s + offline_s AS known_s,
    toDecimal64(greatest(0, least(86400000, dateDiff('ms', toDateTime(day, 'Asia/Shanghai'), now64(3)))), 3)
        / 1000 AS elapsed_s
SELECT
    p.station_id AS station_id,
    p.connector_id AS connector_id,
    toDate(p.hour, 'Asia/Shanghai') AS day,
    sum(p.energy_kwh) AS energy_kwh,
    sum(p.charges) AS charges,
    sum(p.order_energy_kwh) AS order_energy_kwh,
    sum(p.elec_money) AS elec_money,
    sum(p.service_money) AS service_money,
    sum(p.total_money) AS total_money,
    sum(p.charging_s) AS charging_s,
    sum(p.plugged_s) AS plugged_s,
    sum(p.reserved_s) AS reserved_s,
    sum(p.idle_s) AS idle_s,
    sum(p.fault_s) AS fault_s,
    sum(p.offline_s) AS offline_s,
    greatest(elapsed_s - known_s, toDecimal64(0, 3)) AS unknown_s,
    toFloat64(charging_s) / nullIf(toFloat64(known_s), 0) AS charging_share,
    toFloat64(charging_s + plugged_s + reserved_s) / nullIf(toFloat64(known_s), 0) AS occupied_share,
    toFloat64(charging_s + plugged_s + reserved_s + idle_s) / nullIf(toFloat64(known_s), 0) AS available_share
FROM $database.connector_by_hour(
    station_id = {station_id:String}, first_day = {first_day:Date}, last_day = {last_day:Date}) AS p
GROUP BY p.station_id, p.connector_id, day
COMMENT 'connector_by_day(station_id, first_day, last_day): a row a connector and day; '''' means all stations';

CREATE OR REPLACE VIEW $database.station_by_hour
(
    station_id String COMMENT 'StationID, no unit',
    hour DateTime('Asia/Shanghai') COMMENT 'Beginning of the hour, Beijing time',
    connectors UInt64 COMMENT 'Connectors of which anything is known, counted from 1',
    energy_kwh Decimal(18, 3) COMMENT 'Electricity given, by the register, kWh',
    charges UInt64 COMMENT 'Charges that ended, counted from 0',
    order_energy_kwh Decimal(18, 2) COMMENT 'Energy of their orders, kWh',
    elec_money Decimal(18, 2) COMMENT 'Their money for electricity, CNY',
    service_money Decimal(18, 2) COMMENT 'Their money for service, CNY',
    total_money Decimal(18, 2) COMMENT 'Their money in all, CNY',
    charging_s Decimal(18, 3) COMMENT 'Time in status 3, charging, s',
    plugged_s Decimal(18, 3) COMMENT 'Time in status 2, plugged not charging, s',
    reserved_s Decimal(18, 3) COMMENT 'Time in status 4, reserved, s',
    idle_s Decimal(18, 3) COMMENT 'Time in status 1, idle, s',
    fault_s Decimal(18, 3) COMMENT 'Time in status 255, fault, s',
    offline_s Decimal(18, 3) COMMENT 'Time in status 0, offline, s',
    unknown_s Decimal(18, 3) COMMENT 'Time of which no status is known, s: of today, up to now',
    charging_share Nullable(Float64) COMMENT 'Charging time by known time, no unit, 0 to 1: null if nothing is known',
    occupied_share Nullable(Float64)
        COMMENT 'Charging, plugged and reserved time by known time, no unit, 0 to 1: null if nothing is known',
    available_share Nullable(Float64)
        COMMENT 'Time neither offline nor in fault by known time, no unit, 0 to 1: null if nothing is known'
)
AS WITH
    charging_s + plugged_s + reserved_s + idle_s + fault_s + offline_s AS known_s,
    toDecimal64(connectors * greatest(0, least(3600000, dateDiff('ms', p.hour, now64(3)))), 3)
        / 1000 AS elapsed_s
SELECT
    p.station_id AS station_id,
    p.hour AS hour,
    uniqExact(p.connector_id) AS connectors,
    sum(p.energy_kwh) AS energy_kwh,
    sum(p.charges) AS charges,
    sum(p.order_energy_kwh) AS order_energy_kwh,
    sum(p.elec_money) AS elec_money,
    sum(p.service_money) AS service_money,
    sum(p.total_money) AS total_money,
    sum(p.charging_s) AS charging_s,
    sum(p.plugged_s) AS plugged_s,
    sum(p.reserved_s) AS reserved_s,
    sum(p.idle_s) AS idle_s,
    sum(p.fault_s) AS fault_s,
    sum(p.offline_s) AS offline_s,
    greatest(elapsed_s - known_s, toDecimal64(0, 3)) AS unknown_s,
    toFloat64(charging_s) / nullIf(toFloat64(known_s), 0) AS charging_share,
    toFloat64(charging_s + plugged_s + reserved_s) / nullIf(toFloat64(known_s), 0) AS occupied_share,
    toFloat64(charging_s + plugged_s + reserved_s + idle_s) / nullIf(toFloat64(known_s), 0) AS available_share
FROM $database.connector_by_hour(
    station_id = {station_id:String}, first_day = {first_day:Date}, last_day = {last_day:Date}) AS p
GROUP BY p.station_id, p.hour
COMMENT 'station_by_hour(station_id, first_day, last_day): a row a station and hour; '''' means all stations';

CREATE OR REPLACE VIEW $database.station_by_day
(
    station_id String COMMENT 'StationID, no unit',
    day Date COMMENT 'Day, Beijing time',
    connectors UInt64 COMMENT 'Connectors of which anything is known, counted from 1',
    energy_kwh Decimal(18, 3) COMMENT 'Electricity given, by the register, kWh',
    charges UInt64 COMMENT 'Charges that ended, counted from 0',
    order_energy_kwh Decimal(18, 2) COMMENT 'Energy of their orders, kWh',
    elec_money Decimal(18, 2) COMMENT 'Their money for electricity, CNY',
    service_money Decimal(18, 2) COMMENT 'Their money for service, CNY',
    total_money Decimal(18, 2) COMMENT 'Their money in all, CNY',
    charging_s Decimal(18, 3) COMMENT 'Time in status 3, charging, s',
    plugged_s Decimal(18, 3) COMMENT 'Time in status 2, plugged not charging, s',
    reserved_s Decimal(18, 3) COMMENT 'Time in status 4, reserved, s',
    idle_s Decimal(18, 3) COMMENT 'Time in status 1, idle, s',
    fault_s Decimal(18, 3) COMMENT 'Time in status 255, fault, s',
    offline_s Decimal(18, 3) COMMENT 'Time in status 0, offline, s',
    unknown_s Decimal(18, 3) COMMENT 'Time of which no status is known, s: of today, up to now',
    charging_share Nullable(Float64) COMMENT 'Charging time by known time, no unit, 0 to 1: null if nothing is known',
    occupied_share Nullable(Float64)
        COMMENT 'Charging, plugged and reserved time by known time, no unit, 0 to 1: null if nothing is known',
    available_share Nullable(Float64)
        COMMENT 'Time neither offline nor in fault by known time, no unit, 0 to 1: null if nothing is known'
)
AS WITH
    charging_s + plugged_s + reserved_s + idle_s + fault_s + offline_s AS known_s,
    toDecimal64(connectors * greatest(0, least(86400000, dateDiff('ms', toDateTime(day, 'Asia/Shanghai'), now64(3)))), 3)
        / 1000 AS elapsed_s
SELECT
    p.station_id AS station_id,
    toDate(p.hour, 'Asia/Shanghai') AS day,
    uniqExact(p.connector_id) AS connectors,
    sum(p.energy_kwh) AS energy_kwh,
    sum(p.charges) AS charges,
    sum(p.order_energy_kwh) AS order_energy_kwh,
    sum(p.elec_money) AS elec_money,
    sum(p.service_money) AS service_money,
    sum(p.total_money) AS total_money,
    sum(p.charging_s) AS charging_s,
    sum(p.plugged_s) AS plugged_s,
    sum(p.reserved_s) AS reserved_s,
    sum(p.idle_s) AS idle_s,
    sum(p.fault_s) AS fault_s,
    sum(p.offline_s) AS offline_s,
    greatest(elapsed_s - known_s, toDecimal64(0, 3)) AS unknown_s,
    toFloat64(charging_s) / nullIf(toFloat64(known_s), 0) AS charging_share,
    toFloat64(charging_s + plugged_s + reserved_s) / nullIf(toFloat64(known_s), 0) AS occupied_share,
    toFloat64(charging_s + plugged_s + reserved_s + idle_s) / nullIf(toFloat64(known_s), 0) AS available_share
FROM $database.connector_by_hour(
    station_id = {station_id:String}, first_day = {first_day:Date}, last_day = {last_day:Date}) AS p
GROUP BY p.station_id, day
COMMENT 'station_by_day(station_id, first_day, last_day): a row a station and day; '''' means all stations';
