SELECT toUInt8(0) AS field, v0 AS value, n, count() OVER (PARTITION BY field) AS total
FROM (
SELECT 0 AS grouped, v0, count() AS n
FROM (
SELECT arrayJoin(arrayDistinct(arrayConcat(if(toUnixTimestamp64Milli(deleted_at) = 0, technologies, []), mapKeys(mapFilter((k, v) -> v > toUnixTimestamp64Milli(deleted_at), technologies_said))))) AS v0
FROM websites FINAL
WHERE project_id IN {visible:Array(String)}
  AND last_seen > deleted_at)
GROUP BY v0)
WHERE value != '' AND startsWith(lowerUTF8(value), {prefix:String})
ORDER BY field, n DESC, value
LIMIT 10 BY field
-- visible = ["p1"]
-- prefix = "word"
