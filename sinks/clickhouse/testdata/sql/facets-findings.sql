SELECT field, value, n, count() OVER (PARTITION BY field) AS total
FROM (
SELECT tupleElement(pair, 1) AS field, tupleElement(pair, 2) AS value, uniqExact(id) AS n
FROM (
SELECT id, arrayJoin(arrayMap(x -> (toUInt8(0), x), [toString(key)])) AS pair
FROM findings)
WHERE tupleElement(pair, 2) != ''
GROUP BY field, value)
ORDER BY field, n DESC, value
LIMIT 10 BY field
