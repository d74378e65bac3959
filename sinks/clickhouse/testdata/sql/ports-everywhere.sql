SELECT max(id), project_id, min(first_seen), max(last_seen), addr, port, protocol, tupleElement(max(service), 'value'), tupleElement(max(product), 'value'), tupleElement(max(version), 'value')
FROM ports
GROUP BY project_id, addr, port, protocol
ORDER BY project_id, addr, port, protocol
LIMIT 51
SETTINGS optimize_aggregation_in_order = 1
