SELECT max(id), project_id, min(first_seen), max(last_seen), tupleElement(max(blocked), 'value'), tupleElement(max(blocked), 'version'), tupleElement(max(note), 'value'), tupleElement(max(owner), 'value'), domain, addr, port, path, tupleElement(max(ssl), 'version'), tupleElement(max(ssl), 'value'), tupleElement(max(status), 'value'), tupleElement(max(title), 'value'), tupleElement(max(server), 'value'), tupleElement(max(certificate), 'value'), max(looked_at), tupleElement(max(merged_into), 'value'), tupleElement(max(screenshot), 'value'), groupUniqArrayArray(technologies), maxMap(technologies_said), max(deleted_at)
FROM websites
WHERE project_id = {project:String}
  AND (project_id, domain, addr, port, path) IN (
SELECT project_id, domain, addr, port, path
FROM websites FINAL
WHERE project_id = {project:String}
  AND (positionCaseInsensitiveUTF8(address, {f0:String}) > 0 OR positionCaseInsensitiveUTF8(tupleElement(title, 'value'), {f0:String}) > 0)
  AND domain >= {after0:String}
  AND (domain, addr, port, path) > ({after0:String}, {after1:IPv6}, {after2:UInt16}, {after3:String})
  AND last_seen > deleted_at
ORDER BY project_id, domain, addr, port, path
LIMIT 51)
GROUP BY project_id, domain, addr, port, path
HAVING max(last_seen) > max(deleted_at)
ORDER BY project_id, domain, addr, port, path
LIMIT 51
SETTINGS optimize_aggregation_in_order = 1
-- project = "p1"
-- f0 = "login/"
-- after0 = "a.example"
-- after1 = "::ffff:10.0.0.1"
-- after2 = "443"
-- after3 = "/"
