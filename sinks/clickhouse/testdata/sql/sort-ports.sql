SELECT id, project_id, first_seen, last_seen, tupleElement(blocked, 'value'), tupleElement(blocked, 'version'), tupleElement(note, 'value'), tupleElement(owner, 'value'), addr, port, protocol, tupleElement(service, 'value'), tupleElement(product, 'value'), tupleElement(version, 'value'), looked_at, toUnixTimestamp64Milli(last_seen)
FROM ports FINAL
WHERE project_id = {project:String}
  AND (project_id, addr, port, protocol) IN (
SELECT project_id, addr, port, protocol
FROM ports FINAL
WHERE project_id = {project:String}
  AND port >= {f0:Int64}
  AND toUnixTimestamp64Milli(last_seen) <= {after0:Int64}
  AND (toUnixTimestamp64Milli(last_seen), project_id, addr, port, protocol) < ({after0:Int64}, {after1:String}, {after2:IPv6}, {after3:UInt16}, {after4:String})
  AND last_seen > deleted_at
ORDER BY toUnixTimestamp64Milli(last_seen) DESC, project_id DESC, addr DESC, port DESC, protocol DESC
LIMIT 51)
ORDER BY toUnixTimestamp64Milli(last_seen) DESC, project_id DESC, addr DESC, port DESC, protocol DESC
-- project = "p1"
-- f0 = 81
-- after0 = "1700000000000"
-- after1 = "p1"
-- after2 = "::1"
-- after3 = "80"
-- after4 = "tcp"
