SELECT count()
FROM domains FINAL
WHERE last_seen > deleted_at
