SELECT max(id), project_id, min(first_seen), max(last_seen), tupleElement(max(blocked), 'value'), tupleElement(max(blocked), 'version'), tupleElement(max(note), 'value'), tupleElement(max(owner), 'value'), addr, port, protocol, tupleElement(max(service), 'value'), tupleElement(max(product), 'value'), tupleElement(max(version), 'value'), max(looked_at)
FROM ports
WHERE (project_id, addr, port, protocol) IN (
SELECT project_id, addr, port, protocol
FROM ports FINAL
WHERE last_seen > deleted_at
ORDER BY project_id, addr, port, protocol
LIMIT 51)
GROUP BY project_id, addr, port, protocol
HAVING max(last_seen) > max(deleted_at)
ORDER BY project_id, addr, port, protocol
LIMIT 51
SETTINGS optimize_aggregation_in_order = 1
