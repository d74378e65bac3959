SELECT count()
FROM hosts FINAL
