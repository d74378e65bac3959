SELECT level, count()
FROM logs FINAL
WHERE execution_id = {execution:String}
  AND positionCaseInsensitiveUTF8(text, {text:String}) > 0
GROUP BY level
-- execution = "e1"
-- text = "Refused"
