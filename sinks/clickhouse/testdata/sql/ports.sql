SELECT id, project_id, first_seen, last_seen, addr, port, protocol, tupleElement(service, 'value'), tupleElement(product, 'value'), tupleElement(version, 'value')
FROM ports FINAL
WHERE project_id = {project:String}
  AND positionCaseInsensitiveUTF8(concat(ip, ':', toString(port), '/', protocol, ' ', tupleElement(service, 'value'), ' ', tupleElement(product, 'value')), {text:String}) > 0
  AND project_id >= {after0:String}
  AND (project_id, addr, port, protocol) > ({after0:String}, {after1:IPv6}, {after2:UInt16}, {after3:String})
ORDER BY project_id, addr, port, protocol
LIMIT 51
-- project = "p1"
-- text = "ssh"
-- after0 = "p1"
-- after1 = "::ffff:10.0.0.1"
-- after2 = "22"
-- after3 = "tcp"
