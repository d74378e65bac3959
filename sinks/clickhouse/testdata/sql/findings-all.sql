SELECT id, project_id, correlation_key, at, source, execution_id, job, user_id, root_id, depth, type, key, name, tag, ssl, domain, ip, mask, port, protocol, path, fields
FROM findings
WHERE project_id = {project:String}
  AND correlation_key = {correlation_key:String}
  AND key = {key:String}
  AND execution_id = {execution_id:String}
  AND at <= fromUnixTimestamp64Milli({at:Int64}, 'UTC')
  AND (at, id) < (fromUnixTimestamp64Milli({at:Int64}, 'UTC'), {id:String})
ORDER BY project_id DESC, at DESC, id DESC
LIMIT 51
-- project = "p1"
-- correlation_key = "project:p1;host:10.0.0.1"
-- key = "K"
-- execution_id = "e1"
-- at = "1700000000000"
-- id = "f1"
