SELECT toUInt8(0) AS field, toString(v0) AS value, n, count() OVER (PARTITION BY field) AS total
FROM (
SELECT 0 AS grouped, v0, uniqExact(id) AS n
FROM (
SELECT key AS v0, id
FROM findings)
GROUP BY v0)
WHERE value != ''
ORDER BY field, n DESC, value
LIMIT 10 BY field
