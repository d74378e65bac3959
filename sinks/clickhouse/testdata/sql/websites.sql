SELECT id, project_id, first_seen, last_seen, concat(if(if(tupleElement(ssl, 'version') > 0, tupleElement(ssl, 'value') = 1, port = 443), 'https://', 'http://'), multiIf(domain != '', domain, position(ip, ':') > 0, concat('[', ip, ']'), ip), if(port = if(if(tupleElement(ssl, 'version') > 0, tupleElement(ssl, 'value') = 1, port = 443), 443, 80), '', concat(':', toString(port))), path) AS url, domain, addr, port, path, tupleElement(ssl, 'version'), tupleElement(ssl, 'value'), tupleElement(status, 'value'), tupleElement(title, 'value'), tupleElement(server, 'value'), tupleElement(certificate, 'value'), technologies
FROM websites FINAL
WHERE project_id = {project:String}
  AND positionCaseInsensitiveUTF8(concat(concat(if(if(tupleElement(ssl, 'version') > 0, tupleElement(ssl, 'value') = 1, port = 443), 'https://', 'http://'), multiIf(domain != '', domain, position(ip, ':') > 0, concat('[', ip, ']'), ip), if(port = if(if(tupleElement(ssl, 'version') > 0, tupleElement(ssl, 'value') = 1, port = 443), 443, 80), '', concat(':', toString(port))), path), ' ', tupleElement(title, 'value')), {text:String}) > 0
  AND project_id >= {after0:String}
  AND (project_id, domain, addr, port, path) > ({after0:String}, {after1:String}, {after2:IPv6}, {after3:UInt16}, {after4:String})
ORDER BY project_id, domain, addr, port, path
LIMIT 51
-- project = "p1"
-- text = "login"
-- after0 = "p1"
-- after1 = "a.example"
-- after2 = "::ffff:10.0.0.1"
-- after3 = "443"
-- after4 = "/"
