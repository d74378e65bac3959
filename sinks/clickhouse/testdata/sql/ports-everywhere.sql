SELECT id, project_id, first_seen, last_seen, addr, port, protocol, tupleElement(service, 'value'), tupleElement(product, 'value'), tupleElement(version, 'value')
FROM ports FINAL
ORDER BY project_id, addr, port, protocol
LIMIT 51
