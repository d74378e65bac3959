SELECT count(), countIf(first_seen >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')), countIf(first_seen >= fromUnixTimestamp64Milli({before:Int64}, 'UTC') AND first_seen < fromUnixTimestamp64Milli({since:Int64}, 'UTC'))
FROM hosts FINAL
WHERE project_id = {project:String}
  AND last_seen > deleted_at
-- project = "p1"
-- since = "1795608000000"
-- before = "1795003200000"
