SELECT execution_id, project_id, attempt, stream, seq, position, at, level, text
FROM logs FINAL
WHERE execution_id = {execution:String}
  AND level >= {level:UInt8}
  AND position > {position:Int64}
ORDER BY position
LIMIT 50
-- execution = "e1"
-- level = "2"
-- position = "7"
