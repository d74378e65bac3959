SELECT 'domains', '', count()
FROM domains FINAL
UNION ALL
SELECT 'hosts', '', count()
FROM hosts FINAL
UNION ALL
SELECT 'ip_ranges', '', count()
FROM ip_ranges FINAL
UNION ALL
SELECT 'ports', '', count()
FROM ports FINAL
UNION ALL
SELECT 'websites', '', count()
FROM websites FINAL
UNION ALL
SELECT 'finding_ids', '', count()
FROM finding_ids FINAL
UNION ALL
SELECT 'executions', tupleElement(current, 'state') AS state, count()
FROM executions FINAL
GROUP BY state
