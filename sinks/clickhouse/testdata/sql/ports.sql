SELECT max(id), project_id, min(first_seen), max(last_seen), tupleElement(max(blocked), 'value'), tupleElement(max(blocked), 'version'), tupleElement(max(note), 'value'), tupleElement(max(owner), 'value'), addr, port, protocol, tupleElement(max(service), 'value'), tupleElement(max(product), 'value'), tupleElement(max(version), 'value'), max(looked_at)
FROM ports
WHERE project_id = {project:String}
  AND (project_id, addr, port, protocol) IN (
SELECT project_id, addr, port, protocol
FROM ports FINAL
WHERE project_id = {project:String}
  AND (positionCaseInsensitiveUTF8(address, {f0:String}) > 0 OR positionCaseInsensitiveUTF8(tupleElement(service, 'value'), {f0:String}) > 0 OR positionCaseInsensitiveUTF8(tupleElement(product, 'value'), {f0:String}) > 0)
  AND addr >= {after0:IPv6}
  AND (addr, port, protocol) > ({after0:IPv6}, {after1:UInt16}, {after2:String})
  AND last_seen > deleted_at
ORDER BY project_id, addr, port, protocol
LIMIT 51)
GROUP BY project_id, addr, port, protocol
HAVING max(last_seen) > max(deleted_at)
ORDER BY project_id, addr, port, protocol
LIMIT 51
SETTINGS optimize_aggregation_in_order = 1
-- project = "p1"
-- f0 = "ssh"
-- after0 = "::ffff:10.0.0.1"
-- after1 = "22"
-- after2 = "tcp"
