SELECT project_id, max(id), min(first_seen), max(last_seen), max(deleted_at), '', addr, port, toString(protocol), '', toUInt64(0), '', max(looked_at)
FROM ports
WHERE project_id IN {projects:Array(String)}
  AND (addr IN {addrs:Array(IPv6)})
GROUP BY project_id, addr, port, protocol
-- projects = ["p1"]
-- addrs = ["::1"]
