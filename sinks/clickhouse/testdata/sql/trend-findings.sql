SELECT count(), countIf(at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')), countIf(at >= fromUnixTimestamp64Milli({before:Int64}, 'UTC') AND at < fromUnixTimestamp64Milli({since:Int64}, 'UTC'))
FROM finding_ids FINAL
WHERE project_id = {project:String}
-- project = "p1"
-- since = "1795608000000"
-- before = "1795003200000"
