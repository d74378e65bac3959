CREATE DATABASE IF NOT EXISTS {name:Identifier};
CREATE TABLE IF NOT EXISTS domains (
    `project_id` LowCardinality(String),
    `name` String,
    `id` SimpleAggregateFunction(max, String),
    `first_seen` SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    `last_seen` SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    `deleted_at` SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    `blocked` SimpleAggregateFunction(max, Tuple(version UInt64, value UInt8)),
    `note` SimpleAggregateFunction(max, Tuple(version UInt64, value String)),
    `owner` SimpleAggregateFunction(max, Tuple(version UInt64, value String)),
    INDEX by_id id TYPE bloom_filter(0.001) GRANULARITY 1
) ENGINE = AggregatingMergeTree
ORDER BY (project_id, name)
SETTINGS min_age_to_force_merge_seconds = 30, min_age_to_force_merge_on_partition_only = 1;
CREATE TABLE IF NOT EXISTS hosts (
    `project_id` LowCardinality(String),
    `addr` IPv6,
    `id` SimpleAggregateFunction(max, String),
    `ip` SimpleAggregateFunction(max, String),
    `first_seen` SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    `last_seen` SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    `os` SimpleAggregateFunction(max, Tuple(version UInt64, value String)),
    `deleted_at` SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    `blocked` SimpleAggregateFunction(max, Tuple(version UInt64, value UInt8)),
    `note` SimpleAggregateFunction(max, Tuple(version UInt64, value String)),
    `owner` SimpleAggregateFunction(max, Tuple(version UInt64, value String)),
    INDEX by_id id TYPE bloom_filter(0.001) GRANULARITY 1
) ENGINE = AggregatingMergeTree
ORDER BY (project_id, addr)
SETTINGS min_age_to_force_merge_seconds = 30, min_age_to_force_merge_on_partition_only = 1;
CREATE TABLE IF NOT EXISTS ip_ranges (
    `project_id` LowCardinality(String),
    `addr` IPv6,
    `bits` UInt8,
    `id` SimpleAggregateFunction(max, String),
    `cidr` SimpleAggregateFunction(max, String),
    `first_seen` SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    `last_seen` SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    `deleted_at` SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    `blocked` SimpleAggregateFunction(max, Tuple(version UInt64, value UInt8)),
    `note` SimpleAggregateFunction(max, Tuple(version UInt64, value String)),
    `owner` SimpleAggregateFunction(max, Tuple(version UInt64, value String)),
    INDEX by_id id TYPE bloom_filter(0.001) GRANULARITY 1
) ENGINE = AggregatingMergeTree
ORDER BY (project_id, addr, bits)
SETTINGS min_age_to_force_merge_seconds = 30, min_age_to_force_merge_on_partition_only = 1;
CREATE TABLE IF NOT EXISTS ports (
    `project_id` LowCardinality(String),
    `addr` IPv6,
    `port` UInt16,
    `protocol` LowCardinality(String),
    `id` SimpleAggregateFunction(max, String),
    `address` SimpleAggregateFunction(max, String),
    `first_seen` SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    `last_seen` SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    `service` SimpleAggregateFunction(max, Tuple(version UInt64, value String)),
    `product` SimpleAggregateFunction(max, Tuple(version UInt64, value String)),
    `version` SimpleAggregateFunction(max, Tuple(version UInt64, value String)),
    `deleted_at` SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    `blocked` SimpleAggregateFunction(max, Tuple(version UInt64, value UInt8)),
    `note` SimpleAggregateFunction(max, Tuple(version UInt64, value String)),
    `owner` SimpleAggregateFunction(max, Tuple(version UInt64, value String)),
    `looked_at` SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    INDEX by_id id TYPE bloom_filter(0.001) GRANULARITY 1
) ENGINE = AggregatingMergeTree
ORDER BY (project_id, addr, port, protocol)
SETTINGS min_age_to_force_merge_seconds = 30, min_age_to_force_merge_on_partition_only = 1;
CREATE TABLE IF NOT EXISTS websites (
    `project_id` LowCardinality(String),
    `domain` String,
    `addr` IPv6,
    `port` UInt16,
    `path` String,
    `id` SimpleAggregateFunction(max, String),
    `address` SimpleAggregateFunction(max, String),
    `first_seen` SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    `last_seen` SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    `ssl` SimpleAggregateFunction(max, Tuple(version UInt64, value UInt8)),
    `status` SimpleAggregateFunction(max, Tuple(version UInt64, value UInt16)),
    `title` SimpleAggregateFunction(max, Tuple(version UInt64, value String)),
    `server` SimpleAggregateFunction(max, Tuple(version UInt64, value String)),
    `certificate` SimpleAggregateFunction(max, Tuple(version UInt64, value String)),
    `technologies` SimpleAggregateFunction(groupUniqArrayArray, Array(String)),
    `deleted_at` SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    `blocked` SimpleAggregateFunction(max, Tuple(version UInt64, value UInt8)),
    `note` SimpleAggregateFunction(max, Tuple(version UInt64, value String)),
    `owner` SimpleAggregateFunction(max, Tuple(version UInt64, value String)),
    `looked_at` SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    `merged_into` SimpleAggregateFunction(max, Tuple(version UInt64, value String)),
    `screenshot` SimpleAggregateFunction(max, Tuple(version UInt64, value String)),
    `technologies_said` SimpleAggregateFunction(maxMap, Map(String, Int64)) COMMENT 'filled',
    INDEX by_id id TYPE bloom_filter(0.001) GRANULARITY 1
) ENGINE = AggregatingMergeTree
ORDER BY (project_id, domain, addr, port, path)
PRIMARY KEY (project_id, domain, addr, port)
SETTINGS min_age_to_force_merge_seconds = 30, min_age_to_force_merge_on_partition_only = 1;
CREATE TABLE IF NOT EXISTS domain_hosts (
    `project_id` LowCardinality(String),
    `domain` String,
    `addr` IPv6,
    `first_seen` SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    `last_seen` SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    `deleted_at` SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
) ENGINE = AggregatingMergeTree
ORDER BY (project_id, domain, addr)
SETTINGS min_age_to_force_merge_seconds = 30, min_age_to_force_merge_on_partition_only = 1;
CREATE TABLE IF NOT EXISTS host_domains (
    `project_id` LowCardinality(String),
    `addr` IPv6,
    `domain` String,
    `first_seen` SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    `last_seen` SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    `deleted_at` SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
) ENGINE = AggregatingMergeTree
ORDER BY (project_id, addr, domain)
SETTINGS min_age_to_force_merge_seconds = 30, min_age_to_force_merge_on_partition_only = 1;
CREATE TABLE IF NOT EXISTS resource_tags (
    `project_id` LowCardinality(String),
    `resource_id` String,
    `tag` String,
    `state` SimpleAggregateFunction(max, Tuple(version UInt64, value UInt8))
) ENGINE = AggregatingMergeTree
ORDER BY (project_id, resource_id, tag)
SETTINGS min_age_to_force_merge_seconds = 30, min_age_to_force_merge_on_partition_only = 1;
CREATE TABLE IF NOT EXISTS website_paths (
    `project_id` LowCardinality(String),
    `website_id` String,
    `path` String,
    `first_seen` SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    `last_seen` SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    `deleted_at` SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    `status` SimpleAggregateFunction(max, Tuple(version UInt64, value UInt16))
) ENGINE = AggregatingMergeTree
ORDER BY (project_id, website_id, path)
PRIMARY KEY (project_id, website_id)
SETTINGS min_age_to_force_merge_seconds = 30, min_age_to_force_merge_on_partition_only = 1;
CREATE TABLE IF NOT EXISTS findings (
    `project_id` LowCardinality(String),
    `at` DateTime64(3, 'UTC'),
    `id` String,
    `correlation_key` String,
    `source` LowCardinality(String),
    `execution_id` String,
    `job` LowCardinality(String),
    `user_id` String,
    `root_id` String,
    `depth` UInt16,
    `type` LowCardinality(String),
    `key` LowCardinality(String),
    `name` String,
    `tag` String,
    `domain` String,
    `ip` String,
    `mask` Int16,
    `port` UInt16,
    `protocol` LowCardinality(String),
    `path` String,
    `ssl` Int8,
    `fields` String,
    `images` Array(String),
    `said` String DEFAULT concat('\xFF', lowerUTF8(name), '\xFF', arrayStringConcat(arrayMap(x -> concat(arrayStringConcat(arrayMap(c -> if(c >= 'a' AND c <= 'z', upper(c), concat('\xFD', translate(hex(c), '0123456789ABCDEF', 'ABCDEFGHIJKLMNOP'))), extractAll(JSONExtractString(x, 'key'), '(?s)\\C'))), '\xFE', lowerUTF8(if(JSONType(x, 'data') = 'String', JSONExtractString(x, 'data'), JSONExtractRaw(x, 'data'))), '\xFF'), JSONExtractArrayRaw(fields)))),
    `addr` IPv6 DEFAULT toIPv6OrDefault(ip),
    INDEX by_target correlation_key TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_execution execution_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_key key TYPE set(100) GRANULARITY 1
) ENGINE = ReplacingMergeTree
ORDER BY (project_id, at, id)
TTL toDateTime(at) + toIntervalDay(365);
CREATE TABLE IF NOT EXISTS finding_ids (
    `project_id` LowCardinality(String),
    `execution_id` String,
    `id` String,
    `at` SimpleAggregateFunction(min, DateTime64(3, 'UTC'))
) ENGINE = AggregatingMergeTree
ORDER BY (project_id, execution_id, id)
TTL toDateTime(at) + toIntervalDay(365)
SETTINGS min_age_to_force_merge_seconds = 300, min_age_to_force_merge_on_partition_only = 1;
CREATE TABLE IF NOT EXISTS executions (
    `project_id` LowCardinality(String),
    `id` String,
    `queued_at` SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    `job` SimpleAggregateFunction(max, String),
    `target` SimpleAggregateFunction(max, String),
    `request` SimpleAggregateFunction(max, String),
    `current` SimpleAggregateFunction(max, Tuple(attempt UInt32, rank UInt8, at DateTime64(3, 'UTC'), state String, reason String, detail String, exited UInt8, exit_code Int32, runner String)),
    `started` SimpleAggregateFunction(max, Tuple(attempt UInt32, rank UInt8, at DateTime64(3, 'UTC'))),
    INDEX by_id id TYPE bloom_filter(0.001) GRANULARITY 1
) ENGINE = AggregatingMergeTree
ORDER BY (project_id, id)
TTL toDateTime(queued_at) + toIntervalDay(365)
SETTINGS min_age_to_force_merge_seconds = 30, min_age_to_force_merge_on_partition_only = 1;
CREATE TABLE IF NOT EXISTS logs (
    `execution_id` String,
    `attempt` UInt32,
    `stream` LowCardinality(String),
    `seq` UInt64,
    `project_id` SimpleAggregateFunction(max, String),
    `position` SimpleAggregateFunction(min, Int64),
    `at` SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    `level` SimpleAggregateFunction(max, UInt8),
    `text` SimpleAggregateFunction(max, String)
) ENGINE = AggregatingMergeTree
ORDER BY (execution_id, attempt, stream, seq)
TTL toDateTime(at) + toIntervalDay(90);
CREATE TABLE IF NOT EXISTS changes (
    `project_id` LowCardinality(String),
    `at` DateTime64(3, 'UTC'),
    `resource_id` String,
    `attribute` LowCardinality(String),
    `kind` SimpleAggregateFunction(max, String),
    `correlation_key` SimpleAggregateFunction(max, String),
    `said` SimpleAggregateFunction(max, Tuple(value String, cause String)),
    INDEX by_resource_id resource_id TYPE bloom_filter(0.0001) GRANULARITY 1
) ENGINE = AggregatingMergeTree
ORDER BY (project_id, at, resource_id, attribute);
CREATE TABLE IF NOT EXISTS sweeps (
    `until` DateTime64(3, 'UTC'),
    `project_id` LowCardinality(String),
    `id` String,
    `action` LowCardinality(String),
    `kind` LowCardinality(String),
    `since` DateTime64(3, 'UTC'),
    `first` IPv6,
    `last` IPv6,
    `domain` String,
    `ports` Array(UInt16),
    `protocol` LowCardinality(String),
    `path` String,
    `cause` String,
    `blocked_version` UInt64,
    `blocked` UInt8,
    `stored_by` String,
    `stored_at` DateTime64(3, 'UTC'),
    INDEX by_stored_at stored_at TYPE minmax GRANULARITY 1
) ENGINE = ReplacingMergeTree
ORDER BY (until, project_id, id)
TTL toDateTime(until) + toIntervalDay(365);
CREATE TABLE IF NOT EXISTS verdicts (
    `project_id` LowCardinality(String),
    `finding_id` String,
    `subscription_id` String,
    `at` DateTime64(3, 'UTC'),
    `version` Int64,
    `name` LowCardinality(String),
    `stage` LowCardinality(String),
    `reason` LowCardinality(String),
    `detail` String,
    `execution_id` String
) ENGINE = ReplacingMergeTree
ORDER BY (project_id, finding_id, subscription_id, at)
PRIMARY KEY (project_id, finding_id)
TTL toDateTime(at) + toIntervalDay(90);
-- from an older release that had no owner, no index and kept findings for a week;
ALTER TABLE domains ADD COLUMN IF NOT EXISTS `owner` SimpleAggregateFunction(max, Tuple(version UInt64, value String));
ALTER TABLE domains ADD INDEX IF NOT EXISTS by_id id TYPE bloom_filter(0.001) GRANULARITY 1;
ALTER TABLE domains MATERIALIZE INDEX by_id;
ALTER TABLE domains MODIFY SETTING min_age_to_force_merge_seconds = 30, min_age_to_force_merge_on_partition_only = 1;
ALTER TABLE findings ADD INDEX IF NOT EXISTS by_target correlation_key TYPE bloom_filter(0.01) GRANULARITY 1;
ALTER TABLE findings MATERIALIZE INDEX by_target;
ALTER TABLE findings ADD INDEX IF NOT EXISTS by_execution execution_id TYPE bloom_filter(0.01) GRANULARITY 1;
ALTER TABLE findings MATERIALIZE INDEX by_execution;
ALTER TABLE findings ADD INDEX IF NOT EXISTS by_key key TYPE set(100) GRANULARITY 1;
ALTER TABLE findings MATERIALIZE INDEX by_key;
ALTER TABLE findings MODIFY TTL toDateTime(at) + toIntervalDay(365);
