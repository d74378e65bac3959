SELECT project_id, max(id), min(first_seen), max(last_seen), max(deleted_at), domain, addr, port, 'tcp', path, tupleElement(max(merged_into), 'version'), tupleElement(max(merged_into), 'value'), max(looked_at)
FROM websites
WHERE project_id IN {projects:Array(String)}
  AND (addr IN {addrs:Array(IPv6)} OR domain IN {domains:Array(String)})
GROUP BY project_id, domain, addr, port, path
-- projects = ["p1"]
-- addrs = ["::1"]
-- domains = ["a.example"]
