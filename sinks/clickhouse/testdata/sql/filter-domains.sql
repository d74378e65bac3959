SELECT max(id), project_id, min(first_seen), max(last_seen), tupleElement(max(blocked), 'value'), tupleElement(max(blocked), 'version'), tupleElement(max(note), 'value'), tupleElement(max(owner), 'value'), name
FROM domains
WHERE project_id = {project:String}
  AND (project_id, name) IN (
SELECT project_id, name
FROM domains FINAL
WHERE project_id = {project:String}
  AND (name LIKE {f0:String}) AND ((name) IN (
SELECT domain
FROM domain_hosts FINAL
WHERE project_id = {project:String} AND (addr >= {f1:IPv6} AND addr <= {f2:IPv6}) AND last_seen > deleted_at)) AND (NOT ((id) IN (
SELECT resource_id
FROM resource_tags FINAL
WHERE project_id = {project:String} AND lowerUTF8(tag) = {f3:String} AND tupleElement(state, 'value') = 1))) AND ((name) IN (
SELECT domain
FROM domain_hosts FINAL
WHERE project_id = {project:String} AND (addr) IN (
SELECT addr
FROM hosts
WHERE project_id = {project:String} AND id = {f4:String}) AND last_seen > deleted_at))
  AND last_seen > deleted_at
ORDER BY project_id, name
LIMIT 51)
GROUP BY project_id, name
HAVING max(last_seen) > max(deleted_at)
ORDER BY project_id, name
LIMIT 51
SETTINGS optimize_aggregation_in_order = 1
-- project = "p1"
-- f0 = "%.example.com"
-- f1 = "::ffff:10.0.0.0"
-- f2 = "::ffff:10.255.255.255"
-- f3 = "legacy"
-- f4 = "0123456789abcdef01234567"
