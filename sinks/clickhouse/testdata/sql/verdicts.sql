SELECT project_id, finding_id, subscription_id, at, version, name, stage, reason, detail, execution_id
FROM verdicts FINAL
WHERE project_id = {project:String}
  AND finding_id = {finding:String}
ORDER BY at, subscription_id
LIMIT 10000
-- project = "p1"
-- finding = "f1"
