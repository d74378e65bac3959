SELECT arrayJoin([toString(tupleElement(current, 'state'))]) AS value
FROM executions FINAL
WHERE project_id = {project:String}
  AND queued_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
  AND queued_at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
GROUP BY value
HAVING value != ''
ORDER BY count() DESC, value
LIMIT 5
-- project = "p1"
-- since = "1792929600000"
-- until = "1795608000000"
