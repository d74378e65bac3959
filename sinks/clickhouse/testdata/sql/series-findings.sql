SELECT toInt64(toUnixTimestamp(toDateTime(toStartOfDay(at), 'UTC'))) AS stretch, '' AS value, uniqExact(id)
FROM findings
WHERE project_id IN {visible:Array(String)}
  AND at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
  AND at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
GROUP BY stretch, value
-- visible = ["p1"]
-- since = "1792929600000"
-- until = "1795608000000"
