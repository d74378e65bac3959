SELECT project_id, addr, domain
FROM host_domains
WHERE project_id IN {projects:Array(String)}
  AND addr IN {ones:Array(IPv6)}
GROUP BY project_id, addr, domain
ORDER BY project_id, addr, domain
LIMIT 100 BY project_id, addr
-- projects = ["p1"]
-- ones = ["::1"]
