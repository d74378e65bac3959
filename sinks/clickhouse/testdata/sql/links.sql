SELECT project_id, domain, addr, min(first_seen), max(last_seen)
FROM host_domains
WHERE project_id IN {projects:Array(String)}
  AND addr IN {ones:Array(IPv6)}
GROUP BY project_id, domain, addr
-- projects = ["p1"]
-- ones = ["::1"]
