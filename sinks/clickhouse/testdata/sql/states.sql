SELECT tupleElement(current, 'state') AS state, count()
FROM executions FINAL
WHERE project_id = {project:String}
GROUP BY state
-- project = "p1"
