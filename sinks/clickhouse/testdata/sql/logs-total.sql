SELECT count()
FROM logs FINAL
WHERE execution_id = {execution:String}
-- execution = "e1"
