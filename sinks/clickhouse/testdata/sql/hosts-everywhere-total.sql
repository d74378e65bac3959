SELECT count()
FROM hosts FINAL
WHERE last_seen > deleted_at
