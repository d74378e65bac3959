SELECT id, project_id, first_seen, last_seen, cidr
FROM ip_ranges FINAL
WHERE project_id = {project:String}
  AND project_id >= {after0:String}
  AND (project_id, addr, bits) > ({after0:String}, {after1:IPv6}, {after2:UInt8})
ORDER BY project_id, addr, bits
LIMIT 51
-- project = "p1"
-- after0 = "p1"
-- after1 = "::ffff:10.0.0.0"
-- after2 = "8"
