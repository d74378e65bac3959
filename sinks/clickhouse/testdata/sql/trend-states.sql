SELECT tupleElement(current, 'state') AS state, count(), countIf(queued_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')), countIf(queued_at >= fromUnixTimestamp64Milli({before:Int64}, 'UTC') AND queued_at < fromUnixTimestamp64Milli({since:Int64}, 'UTC'))
FROM executions FINAL
WHERE project_id = {project:String}
GROUP BY state
-- project = "p1"
-- since = "1795608000000"
-- before = "1795003200000"
