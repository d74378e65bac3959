SELECT execution_id, project_id, attempt, stream, seq, position, at, level, text
FROM logs FINAL
WHERE execution_id = {execution:String}
  AND positionCaseInsensitiveUTF8(text, {text:String}) > 0
ORDER BY position
LIMIT 50
-- execution = "e1"
-- text = "Refused"
