SELECT toUInt8(multiIf(grouped = 1, 0, grouped = 2, 1, 0)) AS field, multiIf(grouped = 1, toString(v0), grouped = 2, toString(v1), '') AS value, n, count() OVER (PARTITION BY field) AS total
FROM (
SELECT grouping(v0, v1) AS grouped, v0, v1, count() AS n
FROM (
SELECT tupleElement(service, 'value') AS v0, port AS v1
FROM ports FINAL
WHERE project_id = {project:String}
  AND (addr >= {f0:IPv6} AND addr <= {f1:IPv6})
  AND last_seen > deleted_at)
GROUP BY GROUPING SETS ((v0), (v1)))
WHERE value != ''
ORDER BY field, n DESC, value
LIMIT 10 BY field
-- project = "p1"
-- f0 = "::ffff:10.0.0.0"
-- f1 = "::ffff:10.255.255.255"
