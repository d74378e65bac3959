SELECT count()
FROM domains FINAL
WHERE project_id = {project:String}
  AND positionCaseInsensitiveUTF8(name, {f0:String}) > 0
  AND last_seen > deleted_at
-- project = "p1"
-- f0 = "EXA"
