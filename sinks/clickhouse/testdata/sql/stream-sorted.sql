SELECT id, project_id, first_seen, last_seen, tupleElement(blocked, 'value'), tupleElement(blocked, 'version'), tupleElement(note, 'value'), tupleElement(owner, 'value'), domain, addr, port, path, tupleElement(ssl, 'version'), tupleElement(ssl, 'value'), tupleElement(status, 'value'), tupleElement(title, 'value'), tupleElement(server, 'value'), tupleElement(certificate, 'value'), looked_at, tupleElement(merged_into, 'value'), tupleElement(screenshot, 'value'), technologies, technologies_said, deleted_at
FROM websites FINAL
WHERE project_id = {project:String}
  AND last_seen > deleted_at
ORDER BY toUnixTimestamp64Milli(last_seen) DESC, project_id DESC, domain DESC, addr DESC, port DESC, path DESC
SETTINGS max_bytes_before_external_sort = 268435456
-- project = "p1"
