SELECT project_id, max(id), min(first_seen), max(last_seen), max(deleted_at), '', addr, toUInt16(0), '', '', toUInt64(0), '', toDateTime64(0, 3, 'UTC')
FROM hosts
WHERE project_id IN {projects:Array(String)}
  AND (addr >= {first0:IPv6} AND addr <= {last0:IPv6})
GROUP BY project_id, addr
-- projects = ["p1"]
-- first0 = "::ffff:10.0.0.0"
-- last0 = "::ffff:10.255.255.255"
