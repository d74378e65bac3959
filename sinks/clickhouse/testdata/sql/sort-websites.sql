SELECT id, project_id, first_seen, last_seen, tupleElement(blocked, 'value'), tupleElement(blocked, 'version'), tupleElement(note, 'value'), tupleElement(owner, 'value'), domain, addr, port, path, tupleElement(ssl, 'version'), tupleElement(ssl, 'value'), tupleElement(status, 'value'), tupleElement(title, 'value'), tupleElement(server, 'value'), tupleElement(certificate, 'value'), looked_at, tupleElement(merged_into, 'value'), tupleElement(screenshot, 'value'), technologies, technologies_said, deleted_at, lowerUTF8(tupleElement(title, 'value'))
FROM websites FINAL
WHERE project_id = {project:String}
  AND (project_id, domain, addr, port, path) IN (
SELECT project_id, domain, addr, port, path
FROM websites FINAL
WHERE project_id = {project:String}
  AND last_seen > deleted_at
ORDER BY lowerUTF8(tupleElement(title, 'value')), project_id, domain, addr, port, path
LIMIT 51)
ORDER BY lowerUTF8(tupleElement(title, 'value')), project_id, domain, addr, port, path
-- project = "p1"
