SELECT field, value, n, count() OVER (PARTITION BY field) AS total
FROM (
SELECT tupleElement(pair, 1) AS field, tupleElement(pair, 2) AS value, count() AS n
FROM (
SELECT arrayJoin(arrayMap(x -> (toUInt8(0), x), arrayDistinct(arrayConcat(if(toUnixTimestamp64Milli(deleted_at) = 0, technologies, []), mapKeys(mapFilter((k, v) -> v > toUnixTimestamp64Milli(deleted_at), technologies_said)))))) AS pair
FROM websites FINAL
WHERE project_id IN {visible:Array(String)}
  AND last_seen > deleted_at)
WHERE tupleElement(pair, 2) != '' AND startsWith(lowerUTF8(tupleElement(pair, 2)), {prefix:String})
GROUP BY field, value)
ORDER BY field, n DESC, value
LIMIT 10 BY field
-- visible = ["p1"]
-- prefix = "word"
