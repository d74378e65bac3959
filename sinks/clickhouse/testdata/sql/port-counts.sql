SELECT project_id, addr, count()
FROM (
SELECT project_id, addr
FROM ports
WHERE project_id IN {projects:Array(String)}
  AND addr IN {addrs:Array(IPv6)}
GROUP BY project_id, addr, port, protocol
HAVING max(last_seen) > max(deleted_at) AND max(looked_at) <= max(last_seen))
GROUP BY project_id, addr
-- projects = ["p1"]
-- addrs = ["::1"]
