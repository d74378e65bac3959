SELECT id, project_id, correlation_key, at, source, execution_id, job, user_id, root_id, depth, type, key, name, tag, ssl, domain, ip, mask, port, protocol, path, fields
FROM findings
WHERE project_id = {project:String}
ORDER BY project_id DESC, at DESC, id DESC
SETTINGS max_bytes_before_external_sort = 268435456
-- project = "p1"
