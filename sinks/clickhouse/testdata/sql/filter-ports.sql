SELECT max(id), project_id, min(first_seen), max(last_seen), tupleElement(max(blocked), 'value'), tupleElement(max(blocked), 'version'), tupleElement(max(note), 'value'), tupleElement(max(owner), 'value'), addr, port, protocol, tupleElement(max(service), 'value'), tupleElement(max(product), 'value'), tupleElement(max(version), 'value'), max(looked_at)
FROM ports
WHERE project_id = {project:String}
  AND (project_id, addr, port, protocol) IN (
SELECT project_id, addr, port, protocol
FROM ports FINAL
WHERE project_id = {project:String}
  AND ((port IN {f2:Array(Int64)} OR (port >= {f0:Int64} AND port <= {f1:Int64}))) AND (protocol = {f3:String}) AND (NOT (tupleElement(service, 'value') != '')) AND (match(tupleElement(version, 'value'), {f4:String})) AND ((addr) IN (
SELECT addr
FROM host_domains FINAL
WHERE project_id = {project:String} AND domain LIKE {f5:String} AND last_seen > deleted_at)) AND (last_seen >= fromUnixTimestamp64Milli({f6:Int64}, 'UTC')) AND (looked_at > last_seen)
  AND last_seen > deleted_at
ORDER BY project_id, addr, port, protocol
LIMIT 51)
GROUP BY project_id, addr, port, protocol
HAVING max(last_seen) > max(deleted_at)
ORDER BY project_id, addr, port, protocol
LIMIT 51
SETTINGS optimize_aggregation_in_order = 1
-- project = "p1"
-- f0 = 8000
-- f1 = 8999
-- f2 = [80 443]
-- f3 = "tcp"
-- f4 = "(?is:^1\\.)"
-- f5 = "%.example.com"
-- f6 = 1795003200001
