SELECT id, project_id, first_seen, last_seen, addr, tupleElement(os, 'value')
FROM hosts FINAL
WHERE project_id = {project:String}
  AND positionCaseInsensitiveUTF8(ip, {text:String}) > 0
  AND project_id >= {after0:String}
  AND (project_id, addr) > ({after0:String}, {after1:IPv6})
ORDER BY project_id, addr
LIMIT 51
-- project = "p1"
-- text = "10."
-- after0 = "p1"
-- after1 = "::ffff:10.0.0.1"
