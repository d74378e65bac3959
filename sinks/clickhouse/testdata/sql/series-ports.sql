SELECT toInt64(toUnixTimestamp(toDateTime(toMonday(first_seen), 'UTC'))) AS stretch, arrayJoin([toString(tupleElement(service, 'value'))]) AS value, count()
FROM ports FINAL
WHERE project_id = {project:String}
  AND (addr >= {f0:IPv6} AND addr <= {f1:IPv6})
  AND last_seen > deleted_at
  AND first_seen >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
  AND first_seen < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
GROUP BY stretch, value
HAVING value IN {values:Array(String)}
-- project = "p1"
-- f0 = "::ffff:10.0.0.0"
-- f1 = "::ffff:10.255.255.255"
-- since = "1792929600000"
-- until = "1795608000000"
-- values = ["ssh"]
