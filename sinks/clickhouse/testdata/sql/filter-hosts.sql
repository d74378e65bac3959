SELECT max(id), project_id, min(first_seen), max(last_seen), tupleElement(max(blocked), 'value'), tupleElement(max(blocked), 'version'), tupleElement(max(note), 'value'), tupleElement(max(owner), 'value'), addr, tupleElement(max(os), 'value')
FROM hosts
WHERE project_id = {project:String}
  AND (project_id, addr) IN (
SELECT project_id, addr
FROM hosts FINAL
WHERE project_id = {project:String}
  AND (((addr >= {f0:IPv6} AND addr <= {f1:IPv6}) OR (addr >= {f2:IPv6} AND addr <= {f3:IPv6} AND NOT (addr >= toIPv6('::ffff:0.0.0.0') AND addr <= toIPv6('::ffff:255.255.255.255'))))) AND ((addr) IN (
SELECT addr
FROM ports FINAL
WHERE project_id = {project:String} AND port IN {f4:Array(Int64)} AND last_seen > deleted_at AND looked_at <= last_seen)) AND ((addr) IN (
SELECT addr
FROM ports FINAL
WHERE project_id = {project:String} AND lowerUTF8(tupleElement(service, 'value')) = {f5:String} AND last_seen > deleted_at AND looked_at <= last_seen)) AND ((addr) IN (
SELECT addr
FROM host_domains FINAL
WHERE project_id = {project:String} AND domain = {f6:String} AND last_seen > deleted_at)) AND (lowerUTF8(tupleElement(os, 'value')) LIKE {f7:String}) AND (tupleElement(blocked, 'value') > 0)
  AND last_seen > deleted_at
ORDER BY project_id, addr
LIMIT 51)
GROUP BY project_id, addr
HAVING max(last_seen) > max(deleted_at)
ORDER BY project_id, addr
LIMIT 51
SETTINGS optimize_aggregation_in_order = 1
-- project = "p1"
-- f0 = "::ffff:10.0.0.0"
-- f1 = "::ffff:10.255.255.255"
-- f2 = "2001:db8::"
-- f3 = "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"
-- f4 = [22]
-- f5 = "ssh"
-- f6 = "a.example"
-- f7 = "%linux%"
