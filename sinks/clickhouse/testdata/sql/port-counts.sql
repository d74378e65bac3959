SELECT project_id, addr, uniqExact(port, protocol)
FROM ports
WHERE project_id IN {projects:Array(String)}
  AND addr IN {addrs:Array(IPv6)}
GROUP BY project_id, addr
-- projects = ["p1"]
-- addrs = ["::1"]
