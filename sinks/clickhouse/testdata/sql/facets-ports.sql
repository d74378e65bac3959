SELECT field, value, n, count() OVER (PARTITION BY field) AS total
FROM (
SELECT tupleElement(pair, 1) AS field, tupleElement(pair, 2) AS value, count() AS n
FROM (
SELECT arrayJoin(arrayConcat(arrayMap(x -> (toUInt8(0), x), [tupleElement(service, 'value')]), arrayMap(x -> (toUInt8(1), x), [toString(port)]))) AS pair
FROM ports FINAL
WHERE project_id = {project:String}
  AND (addr >= {f0:IPv6} AND addr <= {f1:IPv6})
  AND last_seen > deleted_at)
WHERE tupleElement(pair, 2) != ''
GROUP BY field, value)
ORDER BY field, n DESC, value
LIMIT 10 BY field
-- project = "p1"
-- f0 = "::ffff:10.0.0.0"
-- f1 = "::ffff:10.255.255.255"
