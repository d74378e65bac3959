SELECT max(id), project_id, min(first_seen), max(last_seen), tupleElement(max(blocked), 'value'), tupleElement(max(blocked), 'version'), tupleElement(max(note), 'value'), tupleElement(max(owner), 'value'), max(cidr)
FROM ip_ranges
WHERE project_id = {project:String}
  AND (project_id, addr, bits) IN (
SELECT project_id, addr, bits
FROM ip_ranges FINAL
WHERE project_id = {project:String}
  AND addr >= {after0:IPv6}
  AND (addr, bits) > ({after0:IPv6}, {after1:UInt8})
  AND last_seen > deleted_at
ORDER BY project_id, addr, bits
LIMIT 51)
GROUP BY project_id, addr, bits
HAVING max(last_seen) > max(deleted_at)
ORDER BY project_id, addr, bits
LIMIT 51
SETTINGS optimize_aggregation_in_order = 1
-- project = "p1"
-- after0 = "::ffff:10.0.0.0"
-- after1 = "8"
