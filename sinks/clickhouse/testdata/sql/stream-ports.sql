SELECT id, project_id, first_seen, last_seen, tupleElement(blocked, 'value'), tupleElement(blocked, 'version'), tupleElement(note, 'value'), tupleElement(owner, 'value'), addr, port, protocol, tupleElement(service, 'value'), tupleElement(product, 'value'), tupleElement(version, 'value'), looked_at
FROM ports FINAL
WHERE project_id = {project:String}
  AND port >= {f0:Int64}
  AND last_seen > deleted_at
ORDER BY project_id, addr, port, protocol
SETTINGS max_bytes_before_external_sort = 268435456
-- project = "p1"
-- f0 = 81
