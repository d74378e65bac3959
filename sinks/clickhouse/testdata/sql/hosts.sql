SELECT max(id), project_id, min(first_seen), max(last_seen), tupleElement(max(blocked), 'value'), tupleElement(max(blocked), 'version'), tupleElement(max(note), 'value'), tupleElement(max(owner), 'value'), addr, tupleElement(max(os), 'value')
FROM hosts
WHERE project_id = {project:String}
  AND (project_id, addr) IN (
SELECT project_id, addr
FROM hosts FINAL
WHERE project_id = {project:String}
  AND positionCaseInsensitiveUTF8(ip, {f0:String}) > 0
  AND addr >= {after0:IPv6}
  AND (addr) > ({after0:IPv6})
  AND last_seen > deleted_at
ORDER BY project_id, addr
LIMIT 51)
GROUP BY project_id, addr
HAVING max(last_seen) > max(deleted_at)
ORDER BY project_id, addr
LIMIT 51
SETTINGS optimize_aggregation_in_order = 1
-- project = "p1"
-- f0 = "10."
-- after0 = "::ffff:10.0.0.1"
