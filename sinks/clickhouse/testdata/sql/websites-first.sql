SELECT max(id), project_id, min(first_seen), max(last_seen), domain, addr, port, path, tupleElement(max(ssl), 'version'), tupleElement(max(ssl), 'value'), tupleElement(max(status), 'value'), tupleElement(max(title), 'value'), tupleElement(max(server), 'value'), tupleElement(max(certificate), 'value'), groupUniqArrayArray(technologies)
FROM websites
WHERE project_id = {project:String}
GROUP BY project_id, domain, addr, port, path
ORDER BY project_id, domain, addr, port, path
LIMIT 51
SETTINGS optimize_aggregation_in_order = 1
-- project = "p1"
