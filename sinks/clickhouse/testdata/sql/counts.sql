SELECT 'domains', '', count()
FROM domains FINAL
WHERE project_id = {project:String}
UNION ALL
SELECT 'hosts', '', count()
FROM hosts FINAL
WHERE project_id = {project:String}
UNION ALL
SELECT 'ip_ranges', '', count()
FROM ip_ranges FINAL
WHERE project_id = {project:String}
UNION ALL
SELECT 'ports', '', count()
FROM ports FINAL
WHERE project_id = {project:String}
UNION ALL
SELECT 'websites', '', count()
FROM websites FINAL
WHERE project_id = {project:String}
UNION ALL
SELECT 'finding_ids', '', count()
FROM finding_ids FINAL
WHERE project_id = {project:String}
UNION ALL
SELECT 'executions', tupleElement(current, 'state') AS state, count()
FROM executions FINAL
WHERE project_id = {project:String}
GROUP BY state
-- project = "p1"
