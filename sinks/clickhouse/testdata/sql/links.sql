SELECT project_id, domain, addr, max(last_seen)
FROM host_domains
WHERE project_id IN {projects:Array(String)}
  AND addr IN {ones:Array(IPv6)}
GROUP BY project_id, domain, addr
HAVING max(last_seen) > max(deleted_at)
-- projects = ["p1"]
-- ones = ["::1"]
